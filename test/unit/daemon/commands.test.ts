// Tests of what lbctl may have a daemon do: which event follows, what is refused, in which words,
// and that a rebalancing moves one address after the other.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { DrainView, MoveView } from "../../../src/api/types.ts";
import { epochOf } from "../../../src/core/epoch.ts";
import { bootMs, wallMs } from "../../../src/core/time.ts";
import { DaemonCommands } from "../../../src/daemon/commands.ts";
import type { Drain } from "../../../src/daemon/drain.ts";
import type { OwnershipEvent } from "../../../src/ownership/types.ts";
import type { VipView } from "../../../src/ownership/views.ts";
import { ip } from "../../support/ipam-requests.ts";

const ADDRESS = ip("10.0.0.1");
const SIX = ip("2001:db8::1");

/** n1, which owns 10.0.0.1, beside n2, which would take it, and n3, which has no carrier. */
const VIEW: VipView = {
  address: ADDRESS,
  phase: { kind: "owning", epoch: epochOf(3), interfaces: ["eth0"], isRewriting: false },
  record: { address: ADDRESS, owner: "n1", epoch: 3, resourceVersion: "1" },
  serving: "everywhere",
  rankBy: ADDRESS,
  verdicts: ["n1", "n2", "n3"].map((node) => ({
    node,
    status: "alive",
    hearing: "heard",
    state: "live",
    verdict:
      node === "n3"
        ? { eligible: false, reason: "no interface with carrier" }
        : { eligible: true, interfaces: ["eth0"], unhealthy: null },
  })),
};

const DRAIN: DrainView = {
  node: "n1",
  draining: true,
  cause: "requested",
  force: false,
  remaining: [],
};

function commands(
  plan: readonly MoveView[] = [],
  others: readonly (readonly [string, VipView])[] = [],
) {
  const told: OwnershipEvent[] = [];
  const asked: string[] = [];
  const due: [milliseconds: number, run: () => void][] = [];
  const drain: Pick<Drain, "ask" | "end"> = {
    ask: (force) => void asked.push(`ask ${force}`),
    end: () => void asked.push("end"),
  };
  const own = new Map<string, VipView>([[ADDRESS, VIEW], ...others]);
  const views = {
    view: (address: string) => own.get(address) ?? null,
    together: () => [...own.values()].map(({ address }) => address),
  };
  const made = new DaemonCommands({
    node: "n1",
    clock: { boot: () => bootMs(0), wall: () => wallMs(0) },
    drain,
    machine: () => ({ views }),
    tellOwnership: (event) => told.push(event),
    drainView: () => {
      asked.push("view");
      return DRAIN;
    },
    plan: () => [...plan],
    later: (milliseconds, run) => void due.push([milliseconds, run]),
  });
  return { commands: made, told, asked, due };
}

const NOT_FOUND = (text: string) =>
  `Cannot move "${text}": it is no external address of a Service; see "lbctl vips"`;

interface RefusedRow {
  readonly address: string;
  readonly to: string;
  readonly kind: "not-found" | "refused";
  readonly message: string;
}

const REFUSED: readonly RefusedRow[] = [
  ...["", "shop/web", "10.0.0.01", "10.0.0.1/32", "10.0.0.300"].map((address) => ({
    address,
    to: "n2",
    kind: "not-found" as const,
    message: NOT_FOUND(address),
  })),
  { address: "10.0.0.9", to: "n2", kind: "not-found", message: NOT_FOUND("10.0.0.9") },
  { address: SIX, to: "n2", kind: "not-found", message: NOT_FOUND(SIX) },
  {
    address: ADDRESS,
    to: "n1",
    kind: "refused",
    message: 'Cannot move 10.0.0.1 to "n1": "n1" has it already',
  },
  {
    address: ADDRESS,
    to: "n3",
    kind: "refused",
    message: 'Cannot move 10.0.0.1 to "n3": "n3" may not own it: no interface with carrier',
  },
  {
    address: ADDRESS,
    to: "N2",
    kind: "refused",
    message: 'Cannot move 10.0.0.1 to "N2": there is no node "N2"',
  },
];

for (const { address, to, kind, message } of REFUSED) {
  test(`move() of "${address}" to "${to}" is ${kind}, and nothing is told`, () => {
    const { commands: all, told } = commands();
    assert.deepEqual(all.move(address, to), { ok: false, kind, message });
    assert.deepEqual(told, []);
  });
}

test("move() tells ownership whom to offer the address, and says from where it goes", () => {
  const { commands: all, told } = commands();
  const value = { address: ADDRESS, from: "n1", to: "n2" };
  assert.deepEqual(all.move(ADDRESS, "n2"), { ok: true, value });
  assert.deepEqual(told, [{ type: "move", address: ADDRESS, to: "n2" }]);
});

test("drain() and undrain() are done before the answer is looked up", () => {
  const { commands: all, asked } = commands();
  assert.equal(all.drain(true), DRAIN);
  assert.equal(all.drain(false), DRAIN);
  assert.equal(all.undrain(), DRAIN);
  assert.deepEqual(asked, ["ask true", "view", "ask false", "view", "end", "view"]);
});

test("rebalance() with nothing to move does nothing", () => {
  const { commands: all, told, due } = commands([{ address: ADDRESS, from: "n2", to: "n1" }]);
  assert.deepEqual(all.rebalance(), [], "the moves of other nodes are theirs");
  assert.deepEqual([told, due], [[], []]);
});

test("rebalance() moves what this node has, a tenth of a second after each other", () => {
  const here = ["10.0.0.1", "10.0.0.3", "10.0.0.4"].map((address, index) => ({
    address,
    from: "n1",
    to: `n${index + 2}`,
  }));
  const elsewhere = { address: "10.0.0.2", from: "n2", to: "n1" };
  const { commands: all, told, due } = commands([...here.slice(0, 1), elsewhere, ...here.slice(1)]);
  assert.deepEqual(all.rebalance(), here);
  assert.deepEqual(told, [], "nothing before its time");
  assert.deepEqual(
    due.map(([milliseconds]) => milliseconds),
    [0, 100, 200],
  );
  for (const [, run] of due) run();
  assert.deepEqual(
    told,
    here.map(({ address, to }) => ({ type: "move", address, to })),
  );
});

test("move() is refused where the other address of the Service could not go along", () => {
  const verdicts = VIEW.verdicts.map((one) =>
    one.node === "n2" ? { ...one, hearing: "silent" as const } : one,
  );
  const six: VipView = { ...VIEW, address: SIX, verdicts };
  const { commands: daemon, told } = commands([], [[SIX, six]]);
  const result = daemon.move(ADDRESS, "n2");
  const why = '2001:db8::1 would go with it, and no beacons of "n2" arrive here';
  const message = `Cannot move 10.0.0.1 to "n2": ${why}`;
  assert.deepEqual(result, { ok: false, kind: "refused", message });
  assert.deepEqual(told, []);
});

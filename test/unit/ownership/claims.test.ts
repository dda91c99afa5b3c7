// Tests of what peers say of who owns what: the strongest claim, how long it is believed without a
// table, and what a table changes.

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Ip } from "../../../src/core/address.ts";
import type { PeerEntry } from "../../../src/core/peer.ts";
import { type BootMs, bootMs, NEVER } from "../../../src/core/time.ts";
import type { WireClaim } from "../../../src/ownership/claims.ts";
import { UNCONFIRMED_MS, WireClaims } from "../../../src/ownership/claims.ts";
import type { EpochText } from "../../support/ownership-words.ts";
import { entry, epoch, ip, VIP } from "../../support/ownership-words.ts";

const OTHER = ip("192.168.1.242");

/** Of two nodes the one that comes first in the alphabet is better. */
function strongest(claims: WireClaims, now = 0, address = VIP) {
  return claims.strongest(address, (node, than) => node < than, bootMs(now));
}

type Said =
  | { readonly by: string; readonly claims: PeerEntry; readonly at?: number; readonly on?: string }
  | {
      readonly by: string;
      readonly table: readonly PeerEntry[];
      readonly at?: number;
      readonly on?: string;
    };

/** Says all of it in order; returns what the last of it changed. */
function say(wire: WireClaims, ...all: readonly Said[]): Ip[] {
  let changed: Ip[] = [];
  for (const said of all) {
    const { by: node, at = 0, on = "eth0" } = said;
    const source = { node, interface: on };
    if ("claims" in said) wire.claimed(source, said.claims, bootMs(at));
    else changed = wire.table(source, said.table, bootMs(at));
  }
  return changed;
}

function claim(by: string, text: EpochText, at = 0): Said {
  return { by, claims: entry(text), at };
}

function table(by: string, ...entries: readonly PeerEntry[]): Said {
  return { by, table: entries };
}

const believed = (node: string, text: EpochText, until: number = UNCONFIRMED_MS): WireClaim => ({
  node,
  epoch: epoch(text),
  until: bootMs(until),
});

const STRONGEST: readonly {
  readonly name: string;
  readonly said: readonly Said[];
  readonly now?: number;
  readonly expected: WireClaim | null;
}[] = [
  { name: "nobody's, when nobody said anything", said: [], expected: null },
  {
    name: "nobody's, when another address was spoken of",
    said: [{ by: "a", claims: entry(9, OTHER) }],
    expected: null,
  },
  {
    name: "a claim, until it should be confirmed",
    said: [claim("a", 5)],
    expected: believed("a", 5),
  },
  {
    name: "a table's entry, for good",
    said: [table("a", entry(5))],
    expected: believed("a", 5, NEVER),
  },
  {
    name: "a claim just before its time is over",
    said: [claim("a", 5, 100)],
    now: 3_099,
    expected: believed("a", 5, 3_100),
  },
  {
    name: "nobody's when its time is over",
    said: [claim("a", 5, 100)],
    now: 3_100,
    expected: null,
  },
  {
    name: "the higher epoch, whoever ranks first",
    said: [claim("a", "5+1"), claim("b", 6), claim("c", "5+9")],
    expected: believed("b", 6),
  },
  {
    name: "the one that ranks first of those with one epoch",
    said: [claim("b", "5+1"), claim("a", "5+1"), claim("c", "5+1")],
    expected: believed("a", "5+1"),
  },
  {
    name: "the next when the strongest was never confirmed",
    said: [table("b", entry(5)), claim("a", 6)],
    now: UNCONFIRMED_MS,
    expected: believed("b", 5, NEVER),
  },
  {
    name: "a claim that a table has confirmed, for good",
    said: [claim("a", 5), table("a", entry(5))],
    now: 1e6,
    expected: believed("a", 5, NEVER),
  },
  {
    name: "a confirmed claim that is said again, for good",
    said: [table("a", entry(5)), claim("a", 5)],
    now: 1e6,
    expected: believed("a", 5, NEVER),
  },
  {
    name: "a confirmed claim against a lower one of the same node",
    said: [table("a", entry(6)), claim("a", 5)],
    expected: believed("a", 6, NEVER),
  },
  {
    name: "a higher claim of the same node, until it should be confirmed",
    said: [table("a", entry(5)), claim("a", 6, 10)],
    expected: believed("a", 6, 3_010),
  },
  {
    name: "a claim that is said again, from then on",
    said: [claim("a", 5), claim("a", 5, 2_000)],
    now: 4_999,
    expected: believed("a", 5, 5_000),
  },
  {
    name: "a claim against a lower table that was on its way",
    said: [claim("a", 6), table("a", entry(5))],
    expected: believed("a", 6),
  },
  {
    name: "the lower epoch of a table that follows a table",
    said: [table("a", entry(6)), table("a", entry(5))],
    expected: believed("a", 5, NEVER),
  },
  {
    name: "what a node says on one of two segments",
    said: [table("a", entry(5)), { by: "a", table: [], on: "eth1" }],
    expected: believed("a", 5, NEVER),
  },
  {
    name: "the higher of what a node says on two segments",
    said: [table("a", entry(5)), { by: "a", table: [entry(6)], on: "eth1" }],
    expected: believed("a", 6, NEVER),
  },
];

for (const { name, said, now = 0, expected } of STRONGEST) {
  test(`WireClaims.strongest() is ${name}`, () => {
    const wire = new WireClaims(() => null);
    say(wire, ...said);
    assert.deepEqual(strongest(wire, now), expected);
  });
}

const CHANGES: readonly {
  readonly name: string;
  readonly said: readonly Said[];
  readonly changed: readonly Ip[];
  /** The epoch of the strongest claim afterwards. */
  readonly left?: EpochText;
}[] = [
  { name: "an entry that is new", said: [table("a", entry(5))], changed: [VIP], left: 5 },
  {
    name: "no entry that is as before",
    said: [table("a", entry(5)), table("a", entry(5))],
    changed: [],
    left: 5,
  },
  {
    name: "an entry with another epoch",
    said: [table("a", entry(5)), table("a", entry(6))],
    changed: [VIP],
    left: 6,
  },
  {
    name: "an entry that confirms a claim, which may have been given up here meanwhile",
    said: [claim("a", 5), table("a", entry(5))],
    changed: [VIP],
    left: 5,
  },
  { name: "an entry that is gone", said: [table("a", entry(5)), table("a")], changed: [VIP] },
  {
    name: "no claim that crossed it on the way",
    said: [claim("a", 5), { ...table("a"), at: 999 }],
    changed: [],
    left: 5,
  },
  {
    name: "a claim that it should list by now",
    said: [claim("a", 5), { ...table("a"), at: 1_000 }],
    changed: [VIP],
  },
  {
    name: "nothing of another node",
    said: [table("a", entry(5)), table("b")],
    changed: [],
    left: 5,
  },
  {
    name: "nothing that the node said on another segment",
    said: [table("a", entry(5)), { ...table("a"), on: "eth1" }],
    changed: [],
    left: 5,
  },
  {
    name: "what is gone before what is new",
    said: [table("a", entry(5)), table("a", entry(7, OTHER))],
    changed: [VIP, OTHER],
  },
];

for (const { name, said, changed, left } of CHANGES) {
  test(`WireClaims.table() changes ${name}`, () => {
    const wire = new WireClaims(() => null);
    assert.deepEqual(say(wire, ...said), changed);
    assert.equal(strongest(wire, 1_000)?.epoch ?? null, left === undefined ? null : epoch(left));
  });
}

test("WireClaims.strongest() is what a node claims that cannot tell its table, for ever", () => {
  let since: BootMs | null = bootMs(2_999);
  const wire = new WireClaims(({ node, interface: name }) =>
    `${name} ${node}` === "eth0 a" ? since : null,
  );
  say(wire, claim("a", 6), claim("b", 5));
  assert.deepEqual(strongest(wire, 100_000), believed("a", 6, NEVER));
  since = bootMs(3_000);
  assert.equal(strongest(wire, 100_000), null, "it was over by then");
  since = null;
  assert.equal(strongest(wire, 100_000), null);
});

test("WireClaims.forgetNode() drops what the node said on that segment, and names it", () => {
  const wire = new WireClaims(() => null);
  say(wire, table("a", entry(6), entry(6, OTHER)), { by: "a", table: [entry(7)], on: "eth1" });
  say(wire, claim("b", 5));
  const on = (name: string) => ({ node: "a", interface: name });
  assert.deepEqual(wire.forgetNode(on("eth0")), [VIP, OTHER]);
  assert.equal(strongest(wire)?.epoch, epoch(7), "the other segment has not shown it yet");
  assert.equal(strongest(wire, 0, OTHER), null);
  assert.deepEqual(wire.forgetNode(on("eth1")), [VIP]);
  assert.deepEqual(strongest(wire), believed("b", 5));
  assert.deepEqual(wire.forgetNode(on("eth0")), []);
});

test("WireClaims.forgetAddress() drops what everybody said of it", () => {
  const wire = new WireClaims(() => null);
  say(wire, table("a", entry(6), entry(6, OTHER)), claim("b", 5));
  wire.forgetAddress(VIP);
  assert.equal(strongest(wire), null);
  assert.deepEqual(strongest(wire, 0, OTHER), believed("a", 6, NEVER));
});

test("WireClaims.change() says and changes what the table thereafter would", () => {
  const anyTable = fc.dictionary(
    fc.constantFrom("10.0.0.1", "10.0.0.2", "10.0.0.3"),
    fc.integer({ min: 1, max: 3 }),
  );
  const anyStep = fc.record({ table: anyTable, claimed: anyTable, ms: fc.nat(1_500) });
  const entriesOf = (listed: Readonly<Record<string, number>>): PeerEntry[] =>
    Object.entries(listed).map(([address, lease]) => ({
      address: ip(address),
      epoch: epoch(lease),
    }));
  const property = fc.property(fc.array(anyStep, { maxLength: 12 }), (steps) => {
    const [byTable, byChange] = [new WireClaims(() => null), new WireClaims(() => null)];
    const source = { node: "node-b", interface: "eth0" };
    let before: readonly PeerEntry[] = [];
    let now = 0;
    for (const { table: listed, claimed, ms } of steps) {
      now += ms;
      for (const one of entriesOf(claimed)) {
        for (const claims of [byTable, byChange]) claims.claimed(source, one, bootMs(now));
      }
      now += UNCONFIRMED_MS;
      const entries = entriesOf(listed);
      const gone = before.filter(({ address }) => !entries.some((one) => one.address === address));
      byTable.table(source, entries, bootMs(now));
      byChange.change(source, { entries, gone }, bootMs(now));
      before = entries;
      for (const address of ["10.0.0.1", "10.0.0.2", "10.0.0.3"].map(ip)) {
        assert.deepEqual(strongest(byChange, now, address), strongest(byTable, now, address));
      }
    }
  });
  fc.assert(property, { numRuns: 300 });
});

test("WireClaims.change() returns what is news: of the rest nothing has to be looked at", () => {
  const claims = new WireClaims(() => null);
  const source = { node: "node-b", interface: "eth0" };
  const change = (entries: readonly PeerEntry[], gone: readonly PeerEntry[], now: number) =>
    claims.change(source, { entries, gone }, bootMs(now));
  assert.deepEqual(change([entry(1)], [], 0), [VIP]);
  assert.deepEqual(change([entry(1)], [], 1), []);
  assert.deepEqual(change([], [{ address: OTHER, epoch: epoch(1) }], 2), []);
  assert.deepEqual(change([], [entry(1)], 3), [VIP]);
  claims.claimed(source, entry(2), bootMs(4));
  assert.deepEqual(change([], [entry(1)], 5), [], "said before that claim was made");
});

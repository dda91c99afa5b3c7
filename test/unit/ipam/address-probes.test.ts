// Tests of what is asked for on the wire before it is handed out, when, and what follows.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Ip } from "../../../src/core/address.ts";
import type { Mac } from "../../../src/core/mac.ts";
import { bootMs } from "../../../src/core/time.ts";
import {
  AddressProbes,
  ANSWER_WITHIN_MS,
  FREE_FOR_MS,
  HURRIED_PER_SECOND,
  REFRESH_AFTER_MS,
  UNHURRIED_PER_SECOND,
  type UseChange,
} from "../../../src/ipam/address-probes.ts";
import { ip } from "../../support/ipam-requests.ts";

const A = ip("10.0.0.1");
const B = ip("10.0.0.2");
const PRINTER = "02:00:00:00:00:99" as Mac;
const ETH0 = (): readonly string[] => ["eth0"];

/** Probes with a clock that the test moves, on one segment unless it says otherwise. */
class Wire {
  readonly probes = new AddressProbes();
  now = bootMs(1_000_000);
  interfaces: (address: Ip) => readonly string[] = ETH0;
  readonly changes: UseChange[] = [];

  /** The addresses that are asked for now. */
  asked(): string[] {
    const { orders, changes } = this.probes.take(this.now, this.interfaces);
    this.changes.push(...changes);
    return orders.map(({ address }) => address);
  }

  answer(address: Ip, macs: readonly Mac[] | null, on = "eth0"): void {
    this.changes.push(...this.probes.answered(address, { interface: on, macs }, this.now));
  }

  after(milliseconds: number): this {
    this.now = bootMs(this.now + milliseconds);
    return this;
  }

  use(address: Ip): unknown {
    return this.probes.use(address, this.now);
  }

  /** Asked for until it is, at the times that the probes ask for; the ms that it took. */
  untilAsked(address: Ip): number {
    const start = this.now;
    for (let turns = 0; turns < 1_000; turns++) {
      if (this.asked().includes(address)) return this.now - start;
      this.now = this.probes.nextDeadline(this.now);
    }
    return assert.fail("it is never asked for");
  }
}

/** A printer has the address, and was heard. */
function quarantined(): Wire {
  const wire = new Wire();
  wire.probes.want(A);
  assert.deepEqual(wire.asked(), [A]);
  wire.answer(A, [PRINTER]);
  return wire;
}

test("AddressProbes: what nobody answers for is free for some minutes, then unknown again", () => {
  const wire = new Wire();
  assert.equal(wire.use(A), "unknown");
  wire.probes.want(A);
  assert.equal(wire.probes.nextDeadline(wire.now), wire.now, "at once");
  assert.deepEqual(wire.asked(), [A]);
  assert.deepEqual(wire.asked(), [], "asked for once");
  wire.answer(A, []);
  assert.deepEqual(wire.changes, [{ address: A, use: "free" }]);
  assert.equal(wire.after(FREE_FOR_MS - 1).use(A), "free");
  assert.equal(wire.after(1).use(A), "unknown");
});

test("AddressProbes: one answer on any segment is enough, silence is needed on all", () => {
  const wire = new Wire();
  wire.interfaces = () => ["eth0", "eth1"];
  wire.probes.want(A);
  wire.probes.want(B);
  assert.deepEqual(wire.asked(), [A, B]);
  wire.answer(A, []);
  wire.answer(B, []);
  assert.deepEqual([wire.use(A), wire.use(B)], ["unknown", "unknown"]);
  wire.answer(A, [PRINTER], "eth1");
  wire.answer(B, [], "eth1");
  assert.deepEqual([wire.use(A), wire.use(B)], [{ macs: [PRINTER] }, "free"]);
});

const UNASKABLE: readonly (readonly [
  name: string,
  interfaces: readonly string[],
  then: (wire: Wire) => void,
])[] = [
  ["of no segment", [], () => {}],
  ["whose segment cannot be sent on", ["eth0"], (wire) => wire.answer(A, null)],
  [
    "of which the thread says nothing",
    ["eth0"],
    (wire) => {
      assert.equal(wire.probes.nextDeadline(wire.now), wire.now + ANSWER_WITHIN_MS);
      assert.equal(wire.after(ANSWER_WITHIN_MS - 1).asked().length, 0);
      assert.equal(wire.use(A), "unknown");
      wire.after(1).asked();
    },
  ],
];

for (const [name, interfaces, then] of UNASKABLE) {
  test(`AddressProbes: an address ${name} counts as free, and as unprobed`, () => {
    const wire = new Wire();
    wire.interfaces = () => interfaces;
    wire.probes.want(A);
    wire.asked();
    then(wire);
    assert.deepEqual(wire.changes, [{ address: A, use: "unprobed" }]);
    assert.equal(wire.use(A), "free");
  });
}

test("AddressProbes: a quarantine is looked at less and less often, once a minute at last", () => {
  const wire = quarantined();
  const gaps = Array.from({ length: 6 }, () => {
    const gap = wire.untilAsked(A);
    wire.answer(A, [PRINTER]);
    return gap;
  });
  assert.deepEqual(gaps, [5_000, 10_000, 20_000, 40_000, 60_000, 60_000]);
  assert.deepEqual(wire.use(A), { macs: [PRINTER] });
});

test("AddressProbes: the quarantine ends after two rounds without an answer, not after one", () => {
  const wire = quarantined();
  wire.untilAsked(A);
  wire.answer(A, []);
  assert.deepEqual(wire.use(A), { macs: [PRINTER] });
  assert.equal(wire.untilAsked(A), 5_000);
  wire.answer(A, []);
  assert.equal(wire.use(A), "free");
  assert.deepEqual(wire.changes.at(-1), { address: A, use: "free" });
  assert.equal(wire.probes.quarantined().size, 0);
});

test("AddressProbes: an answer between two silent rounds begins the count anew", () => {
  const wire = quarantined();
  for (const macs of [[], [PRINTER], []]) {
    wire.untilAsked(A);
    wire.answer(A, macs);
  }
  assert.deepEqual(wire.use(A), { macs: [PRINTER] });
});

test("AddressProbes: a cable that is out ends no quarantine", () => {
  const wire = quarantined();
  wire.interfaces = () => [];
  for (let rounds = 0; rounds < 5; rounds++) wire.after(60_000).asked();
  assert.deepEqual(wire.use(A), { macs: [PRINTER] });
});

test("AddressProbes: who waits does not wait for a round that nobody was in a hurry for", () => {
  const wire = new Wire();
  wire.probes.lookAhead([A], wire.now);
  assert.deepEqual(wire.asked(), [A]);
  wire.probes.want(A);
  const { orders } = wire.probes.take(wire.now, ETH0);
  assert.deepEqual(orders, [{ address: A, interfaces: ["eth0"], isHurried: true }]);
  wire.probes.want(A);
  assert.deepEqual(wire.asked(), [], "it is being asked for");
});

test("AddressProbes: what comes next is asked for before it is stale, and no sooner", () => {
  const wire = new Wire();
  const look = (): string[] => {
    wire.probes.lookAhead([A], wire.now);
    return wire.asked();
  };
  assert.deepEqual(look(), [A]);
  wire.answer(A, []);
  assert.deepEqual(look(), []);
  wire.after(REFRESH_AFTER_MS - 1);
  assert.deepEqual(look(), []);
  wire.after(1);
  assert.deepEqual(look(), [A]);
  assert.equal(wire.use(A), "free", "meanwhile it can be had");
});

test("AddressProbes: what was handed out is asked for anew when it is free again", () => {
  const wire = new Wire();
  wire.probes.want(A);
  wire.asked();
  wire.answer(A, []);
  wire.probes.handedOut(A);
  assert.equal(wire.use(A), "unknown");
});

test("AddressProbes: answers about what a Service has by now are no news", () => {
  const wire = new Wire();
  wire.probes.lookAhead([A], wire.now);
  wire.asked();
  wire.probes.handedOut(A);
  wire.answer(A, [PRINTER]);
  assert.deepEqual(wire.changes, []);
  assert.equal(wire.probes.quarantined().size, 0);
});

test("AddressProbes: what is free is quarantined when somebody comes to use it", () => {
  const wire = new Wire();
  wire.probes.want(A);
  wire.asked();
  wire.answer(A, []);
  const foundAt = wire.now;
  wire.after(REFRESH_AFTER_MS);
  assert.equal(wire.probes.freeSince(A, wire.now), foundAt);
  const sighted = () => wire.probes.sighted(A, PRINTER, wire.now);
  assert.deepEqual(sighted(), [{ address: A, use: { macs: [PRINTER] } }]);
  assert.deepEqual([wire.use(A), wire.probes.freeSince(A, wire.now)], [{ macs: [PRINTER] }, null]);
  assert.deepEqual(sighted(), [], "it is known");
  for (let round = 0; round < 2; round++) {
    wire.untilAsked(A);
    wire.answer(A, []);
  }
  assert.equal(wire.use(A), "free");
});

test("AddressProbes: who comes while it is asked for anew need not answer", () => {
  const wire = new Wire();
  wire.probes.want(A);
  wire.asked();
  wire.answer(A, []);
  wire.after(REFRESH_AFTER_MS).probes.lookAhead([A], wire.now);
  assert.deepEqual(wire.asked(), [A]);
  assert.equal(wire.probes.sighted(A, PRINTER, wire.now).length, 1);
  wire.answer(A, []);
  assert.deepEqual(wire.use(A), { macs: [PRINTER] });
});

test("AddressProbes: what is not known to be free is not news", () => {
  const wire = new Wire();
  const sighted = (address: Ip) => wire.probes.sighted(address, PRINTER, wire.now);
  assert.deepEqual(sighted(A), []);
  for (const address of [A, B]) wire.probes.want(address);
  wire.asked();
  assert.deepEqual(sighted(A), [], "the answer is to come");
  for (const address of [A, B]) wire.answer(address, []);
  wire.probes.handedOut(A);
  assert.deepEqual(sighted(A), []);
  wire.after(FREE_FOR_MS);
  assert.deepEqual(sighted(B), []);
});

function many(count: number): Ip[] {
  return Array.from({ length: count }, (_, i) => ip(`10.${i >> 8}.${i & 255}.1`));
}

/** How many are asked for within that time, and the most in one turn. */
function askedWithin(wire: Wire, milliseconds: number): { total: number; most: number } {
  const end = wire.now + milliseconds;
  let [total, most] = [0, 0];
  while (wire.now < end) {
    const { orders, changes } = wire.probes.take(wire.now, ETH0);
    wire.changes.push(...changes);
    for (const { address } of orders) wire.answer(address, []);
    total += orders.length;
    most = Math.max(most, orders.length);
    wire.now = bootMs(Math.max(wire.now + 1, Math.min(end, wire.probes.nextDeadline(wire.now))));
  }
  return { total, most };
}

test("AddressProbes: 10,000 Services are asked for in three seconds, in batches", () => {
  const wire = new Wire();
  const all = many(10_000);
  for (const address of all) wire.probes.want(address);
  const first = askedWithin(wire, 1_000);
  const burst = HURRIED_PER_SECOND * 0.2;
  assert.ok(first.total > HURRIED_PER_SECOND * 0.9, String(first.total));
  assert.ok(first.total <= HURRIED_PER_SECOND + burst, String(first.total));
  assert.ok(first.most <= burst, String(first.most));
  askedWithin(wire, 2_000);
  assert.ok(all.every((address) => wire.use(address) === "free"));
});

test("AddressProbes: the next addresses of 1,000 pools are no storm, nor in the way", () => {
  const wire = new Wire();
  wire.probes.lookAhead(many(8_000), wire.now);
  const { total } = askedWithin(wire, 1_000);
  assert.ok(total <= UNHURRIED_PER_SECOND * 1.2, String(total));
  wire.probes.want(B);
  assert.equal(wire.untilAsked(B), 0);
});

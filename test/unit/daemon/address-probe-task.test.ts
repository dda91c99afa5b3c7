// Tests of the leader's questions to the wire: what is asked where, whose answers count, and what
// is told of an address. Timers are moved by the test.

import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import type { Ip } from "../../../src/core/address.ts";
import type { Mac } from "../../../src/core/mac.ts";
import { bootMs, wallMs } from "../../../src/core/time.ts";
import { AddressProbeTask } from "../../../src/daemon/address-probe-task.ts";
import { createLogger } from "../../../src/daemon/logger.ts";
import type { ToResponder } from "../../../src/daemon/responder-messages.ts";
import type { UseChange } from "../../../src/ipam/address-probes.ts";
import { ip } from "../../support/ipam-requests.ts";

const [A, B, FAR] = [ip("10.0.0.1"), ip("10.0.0.2"), ip("10.9.0.1")];
const NODE = "02:00:00:00:00:02" as Mac;
const PRINTER = "02:00:00:00:00:99" as Mac;

class Leader {
  readonly told: ToResponder[] = [];
  readonly changes: UseChange[] = [];
  upcoming: readonly Ip[] = [];
  interfaces: readonly string[] = ["eth0"];
  readonly task: AddressProbeTask;
  readonly #timers: TestContext["mock"]["timers"];
  #now = bootMs(1_000);

  constructor(t: TestContext) {
    this.#timers = t.mock.timers;
    this.#timers.enable({ apis: ["setTimeout"] });
    this.task = new AddressProbeTask({
      clock: { boot: () => this.#now, wall: () => wallMs(0) },
      log: createLogger("silent", {}),
      upcoming: () => this.upcoming,
      interfacesOf: (address) => (address === FAR ? [] : this.interfaces),
      isNode: (mac) => mac === NODE,
      tellResponder: (message) => void this.told.push(message),
      onUse: (change) => void this.changes.push(change),
    });
    const stop = new AbortController();
    t.after(() => stop.abort());
    void this.task.run(stop.signal);
  }

  pass(milliseconds: number): void {
    for (let i = 0; i < milliseconds; i++) {
      this.#now = bootMs(this.#now + 1);
      this.#timers.tick(1);
    }
  }

  answer(address: Ip, ...macs: readonly Mac[]): void {
    this.task.onProbed([{ address, interface: "eth0", macs }]);
  }
}

test("AddressProbeTask asks for what is wanted in one turn with one message a segment", (t) => {
  const leader = new Leader(t);
  leader.interfaces = ["eth0", "eth1"];
  assert.deepEqual([leader.task.use(A), leader.task.use(B)], ["unknown", "unknown"]);
  leader.pass(1);
  const about = { type: "probe", addresses: [A, B], isHurried: true } as const;
  assert.deepEqual(leader.told, [
    { ...about, interface: "eth0" },
    { ...about, interface: "eth1" },
  ]);
});

test("AddressProbeTask takes a node's answer for no use, and a stranger's for one", (t) => {
  const leader = new Leader(t);
  leader.task.use(A);
  leader.task.use(B);
  leader.pass(1);
  leader.answer(A, NODE);
  leader.answer(B, NODE, PRINTER);
  assert.deepEqual(leader.changes, [
    { address: A, use: "free" },
    { address: B, use: { macs: [PRINTER] } },
  ]);
  assert.equal(leader.task.use(A), "free");
  assert.match(leader.task.note(B) ?? "", /^quarantined: host 02:00:00:00:00:99, which is no node/);
  assert.deepEqual(leader.task.counters(), {
    "probe-free": 1,
    "probe-used": 1,
    "probe-unprobed": 0,
    "probe-waited": 2,
    "probe-sighted": 0,
    quarantined: 1,
  });
  assert.deepEqual(leader.task.quarantined(), [[B, leader.task.note(B)]]);
  leader.task.clear();
  assert.equal(leader.task.note(B), null);
});

test("AddressProbeTask says of what it cannot ask for that it was not asked for", (t) => {
  const leader = new Leader(t);
  for (let times = 0; times < 2; times++) assert.equal(leader.task.use(FAR), "free");
  leader.pass(10);
  assert.deepEqual(leader.told, []);
  assert.match(leader.task.note(FAR) ?? "", /unprobed: this node, which leads, has no segment/);
  assert.equal(leader.task.counters()["probe-unprobed"], 1);
});

test("AddressProbeTask asks ahead of need, so that who comes does not wait", (t) => {
  const leader = new Leader(t);
  leader.upcoming = [A, FAR];
  leader.pass(1_000);
  const about = { type: "probe", interface: "eth0", isHurried: false } as const;
  assert.deepEqual(leader.told, [{ ...about, addresses: [A] }]);
  leader.answer(A);
  assert.equal(leader.task.use(A), "free");
  leader.pass(5_000);
  assert.equal(leader.told.length, 1, "it is known for minutes");
  assert.equal(leader.task.counters()["probe-waited"], 0);
  leader.task.handedOut(A);
  assert.deepEqual(leader.told.at(-1), { type: "unwatch", address: A });
  assert.equal(leader.task.use(A), "unknown");
});

test("AddressProbeTask quarantines what is free as soon as a stranger uses it", (t) => {
  const leader = new Leader(t);
  leader.upcoming = [A];
  leader.pass(1_000);
  leader.answer(A);
  leader.pass(10_000);
  assert.match(leader.task.note(A) ?? "", /^nobody answered for it when .* 10 s ago$/);
  const sight = (mac: Mac): void => leader.task.onSighted({ address: A, interface: "eth0", mac });
  sight(NODE);
  assert.equal(leader.task.use(A), "free", "nodes speak of what they had");
  sight(PRINTER);
  assert.deepEqual(leader.changes.at(-1), { address: A, use: { macs: [PRINTER] } });
  assert.deepEqual(leader.task.use(A), { macs: [PRINTER] });
  const told = leader.changes.length;
  sight(PRINTER);
  assert.equal(leader.changes.length, told, "it is quarantined already");
  assert.equal(leader.task.counters()["probe-sighted"], 1);
});

test("AddressProbeTask leaves what a Service has, or nobody asked for, alone", (t) => {
  const leader = new Leader(t);
  leader.task.use(A);
  leader.pass(1);
  leader.answer(A);
  leader.task.handedOut(A);
  for (const address of [A, B]) {
    leader.task.onSighted({ address, interface: "eth0", mac: PRINTER });
  }
  assert.deepEqual(leader.changes, [{ address: A, use: "free" }]);
});

test("AddressProbeTask that leads no more is told of nothing", (t) => {
  const leader = new Leader(t);
  leader.task.clear();
  assert.deepEqual(leader.told, [{ type: "unwatch", address: null }]);
});

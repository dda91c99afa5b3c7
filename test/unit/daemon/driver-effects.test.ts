// Tests of what the driver makes of the machine's effects: many claims and offers in few messages,
// who stands in for whom, and what it says and writes when the daemon restarts.

import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import type { Mac } from "../../../src/core/mac.ts";
import type { PeerState } from "../../../src/core/peer.ts";
import { bootMs, wallMs } from "../../../src/core/time.ts";
import { LeaseWriter } from "../../../src/daemon/lease-writer.ts";
import { OwnershipDriver } from "../../../src/daemon/ownership-driver.ts";
import type { ToResponder } from "../../../src/daemon/responder-messages.ts";
import { LeaseClient } from "../../../src/k8s-sync/leases.ts";
import type { Outcome } from "../../../src/k8s-sync/outcome.ts";
import { failed, success } from "../../../src/k8s-sync/outcome.ts";
import { timingsFor } from "../../../src/ownership/timings.ts";
import type { OwnershipEvent, Segment, VipRecord, VipSpec } from "../../../src/ownership/types.ts";
import { ip } from "../../support/ipam-requests.ts";

/** Few enough milliseconds to wait for, where real ones pass. */
const TIMINGS = timingsFor({ intervalMs: 20, multiplier: 2 });
const VIPS = ["10.0.0.1", "10.0.0.2", "10.0.0.3"].map(ip);
const MAC = "02:00:00:00:00:02" as Mac;
const ETH0: Segment = {
  interface: "eth0",
  prefixes: [{ family: 4, start: 0n, end: 2n ** 32n - 1n, length: 0 }],
};

const placed = { allowed: true, interfaces: null, unhealthy: null } as const;
const PLACEMENT = { pool: "lan", nodes: new Map(["n1", "n2"].map((node) => [node, placed])) };

function spec(address: VipSpec["address"]): VipSpec {
  return { address, rankBy: address, placement: PLACEMENT, serving: "everywhere" };
}

type Lease = {
  metadata: {
    name: string;
    ownerReferences?: object[];
    annotations?: Record<string, string>;
  };
  spec: object;
};

/** An API that keeps Leases, or fails at everything while `isGone`. */
class FakeApi {
  readonly written: string[] = [];
  readonly leases = new Map<string, Lease>();
  isGone = false;
  #version = 100;

  readonly request = async (call: { method: string; path: string; body?: unknown }) => {
    if (this.isGone) return failed("unreachable", "gone");
    const name = call.path.split("/leases/")[1];
    if (call.method !== "GET") return this.#write(call.method, call.body as Lease);
    if (name !== undefined) {
      const lease = this.leases.get(name);
      return lease === undefined ? failed("not-found", name) : success(lease);
    }
    return success({ metadata: { resourceVersion: "1" }, items: [...this.leases.values()] });
  };

  add(name: string, holderIdentity: string, leaseTransitions = 1): void {
    const metadata = { name, resourceVersion: "1" };
    this.leases.set(name, { metadata, spec: { holderIdentity, leaseTransitions } });
  }

  #write(method: string, lease: Lease): Outcome<unknown> {
    this.#version += 1;
    const { name } = lease.metadata;
    this.written.push(`${method} ${name}`);
    const metadata = { ...lease.metadata, resourceVersion: String(this.#version) };
    this.leases.set(name, { ...lease, metadata });
    return success(this.leases.get(name));
  }
}

/** Node n1, whose clock the test moves. */
class Node {
  readonly api = new FakeApi();
  readonly told: ToResponder[] = [];
  unread = 0;
  readonly read: (readonly VipRecord[])[] = [];
  readonly namesake = { isSilencing: false };
  nodeUid: string | null = null;
  answers = "no: it has not looked yet";
  now = 10_000;
  readonly driver: OwnershipDriver;

  constructor() {
    const clock = { boot: () => bootMs(this.now), wall: () => wallMs(0) };
    const leases = new LeaseClient(
      { request: this.api.request as ConstructorParameters<typeof LeaseClient>[0]["request"] },
      "lbd-system",
    );
    this.driver = new OwnershipDriver({
      node: "n1",
      identity: "n1_1",
      nodeUid: () => this.nodeUid,
      answers: () => this.answers,
      timings: TIMINGS,
      preempt: false,
      namesake: this.namesake,
      atOnce: (work) => work(),
      clock,
      leases,
      writer: new LeaseWriter({ leases, clock }),
      tellResponder: (message) => this.told.push(message),
      onChange: () => {},
      onConflict: () => {},
      onRead: (records) => this.read.push(records),
      onUnread: () => {
        this.unread += 1;
      },
    });
  }

  /** Runs until the test ends; has read and written what it had to. */
  async run(t: TestContext): Promise<void> {
    t.mock.timers.enable({ apis: ["setTimeout", "setInterval"] });
    const abort = new AbortController();
    t.after(() => abort.abort());
    this.post({ type: "segments", segments: [ETH0] });
    this.post({ type: "vips", changed: VIPS.map(spec), freed: [] });
    void this.driver.run(abort.signal);
    await this.settle();
  }

  post(event: OwnershipEvent): void {
    this.driver.post(event);
  }

  hear(state: PeerState): void {
    const at = bootMs(this.now);
    const about = { node: "n2", interface: "eth0", incarnation: 1, mac: MAC };
    const peer = { ...about, isProven: true, holdMs: 40, at };
    this.post({ type: "peer-heard", ...peer, state });
  }

  /** What was asked of the API is answered. */
  async settle(): Promise<void> {
    for (let i = 0; i < 20; i++) await turn();
  }

  async pass(milliseconds: number): Promise<void> {
    this.now += milliseconds;
    this.post({ type: "tick" });
    await this.settle();
  }

  /** Messages of one type since the last call, the others forgotten. */
  take<T extends ToResponder["type"]>(type: T): Extract<ToResponder, { type: T }>[] {
    return this.told.splice(0).filter((message) => message.type === type) as never;
  }
}

const addressesOf = ({ entries }: { entries: readonly { address: string }[] }) =>
  entries.map(({ address }) => address);

/** n1 owns all VIPs since its start. */
async function owner(t: TestContext): Promise<Node> {
  const node = new Node();
  for (const address of VIPS) node.api.add(`lbd-vip-${address}`, "n1");
  await node.run(t);
  node.hear("live");
  await node.pass(TIMINGS.holdMs + 1);
  assert.deepEqual(node.driver.machine.owned(), VIPS);
  return node;
}

test("OwnershipDriver tells the claims of one step in one message", async (t) => {
  const node = new Node();
  await node.run(t);
  assert.deepEqual(node.take("claim"), [], "not before it has listened");
  await node.pass(TIMINGS.startHoldMs + 1);
  const claims = node.take("claim");
  const [first = assert.fail("no claim")] = claims;
  assert.deepEqual(addressesOf(first), VIPS);
  assert.deepEqual(first.interfaces, ["eth0"]);
});

test("OwnershipDriver tells the offers of one step to one node in one message", async (t) => {
  const node = await owner(t);
  node.take("offer");
  node.post({ type: "drain", force: false });
  const offers = node.take("offer");
  assert.equal(offers.length, 1);
  const [offer = assert.fail("no offer")] = offers;
  assert.deepEqual([offer.to, offer.interface, addressesOf(offer)], ["n2", "eth0", VIPS]);
});

test("OwnershipDriver tells an offer once, and no more of it with the next step", async (t) => {
  const node = await owner(t);
  node.post({ type: "drain", force: false });
  node.take("offer");
  node.post({ type: "tick" });
  assert.deepEqual(node.take("offer"), []);
});

test("OwnershipDriver passes on for whom the responder stands in, and when no more", async (t) => {
  const node = new Node();
  for (const address of VIPS) node.api.add(`lbd-vip-${address}`, "n2");
  node.api.add("lbd-node-n2", "n2_1");
  await node.run(t);
  node.hear("live");
  const entries = VIPS.map((address) => ({ address, epoch: 65_536 as never }));
  node.post({ type: "peer-table", node: "n2", interface: "eth0", entries });
  await node.pass(TIMINGS.holdMs + 1);
  assert.deepEqual(node.take("stand-in"), []);
  node.hear("restarting");
  assert.deepEqual(
    node.take("stand-in"),
    VIPS.map((address) => ({ type: "stand-in", address, interface: "eth0", mac: MAC })),
  );
  node.hear("live");
  node.post({ type: "peer-claim", node: "n2", interface: "eth0", entries });
  assert.deepEqual(
    node.take("stand-in").map(({ address, mac }) => [address, mac]),
    VIPS.map((address) => [address, null]),
  );
});

test("leaveForRestart() says that it restarts, keeps all, and writes nothing", async (t) => {
  const node = await owner(t);
  t.mock.timers.reset();
  node.take("state");
  const before = [...node.api.written];
  await node.driver.leaveForRestart();
  assert.deepEqual(node.told, [{ type: "state", state: "restarting" }]);
  assert.deepEqual(node.driver.machine.owned(), VIPS);
  assert.deepEqual(node.api.written, before);
});

test("leaveForRestart() of a host that has another's name says nothing", async (t) => {
  const node = await owner(t);
  node.namesake.isSilencing = true;
  node.told.length = 0;
  await node.driver.leaveForRestart();
  assert.deepEqual(node.told, []);
});

test("stop() says that the daemon stops before it offers anything", async (t) => {
  const node = await owner(t);
  node.told.length = 0;
  void node.driver.stop(1_000);
  const types = node.told.map(({ type }) => type).slice(0, 2);
  assert.deepEqual(
    [node.told[0], types],
    [{ type: "state", state: "stopping" }, ["state", "offer"]],
  );
});

test("onUnread() is called for every read that fails, until one has succeeded", async (t) => {
  const node = new Node();
  node.api.isGone = true;
  await node.run(t);
  assert.equal(node.unread, 1);
  await node.pass(60_000);
  assert.equal(node.unread, 2, "perhaps there is something to remember by now");
  node.api.isGone = false;
  await node.pass(60_000);
  assert.equal(node.unread, 2);
  node.api.isGone = true;
  node.post({ type: "lapsed", interface: "eth0", lapses: 1 });
  await node.pass(60_000);
  assert.equal(node.unread, 2, "what was read once is newer than any memory");
});

test("onRead() is called once, with the records of the first read that succeeds", async (t) => {
  const node = new Node();
  node.api.isGone = true;
  node.api.add("lbd-vip-10.0.0.1", "n2", 7);
  await node.run(t);
  assert.equal(node.read.length, 0);
  node.api.isGone = false;
  await node.pass(60_000);
  node.post({ type: "lapsed", interface: "eth0", lapses: 1 });
  await node.pass(60_000);
  const read = node.read.map((all) =>
    all.map(({ address, owner, epoch }) => [address, owner, epoch]),
  );
  assert.deepEqual(read, [[["10.0.0.1", "n2", 7]]]);
});

test("OwnershipDriver: the first read has ended when it failed, too", async (t) => {
  const node = new Node();
  node.api.isGone = true;
  await node.run(t);
  await node.driver.firstRead;
});

test("OwnershipDriver: the node Lease belongs to the Node, as soon as that is known", async (t) => {
  const node = new Node();
  await node.run(t);
  const references = () => node.api.leases.get("lbd-node-n1")?.metadata.ownerReferences;
  assert.equal(references(), undefined);
  node.nodeUid = "u-1";
  await node.pass(TIMINGS.renewIntervalMs + 1);
  const owner = { apiVersion: "v1", kind: "Node", name: "n1", uid: "u-1" };
  assert.deepEqual(references(), [owner]);
});

test("OwnershipDriver: the node Lease says whether the node answers, at once", async (t) => {
  const node = new Node();
  await node.run(t);
  const said = () => node.api.leases.get("lbd-node-n1")?.metadata.annotations?.["lbd.io/answers"];
  assert.equal(said(), "no: it has not looked yet");
  const writes = node.api.written.length;
  node.answers = "yes";
  node.post({ type: "presence-changed" });
  await node.settle();
  assert.deepEqual([said(), node.api.written.length], ["yes", writes + 1]);
});

// What happens to an address when its owner loses a cable, dies, freezes, stops or comes back.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { VipView } from "../../src/api/types.ts";
import {
  clusterForSuite,
  type DaemonCluster,
  whileMachineRuns,
} from "../cluster/support/daemon-cluster.ts";
import { untilMembers } from "../cluster/support/ownership-watch.ts";
import { untilLive } from "../cluster/support/strike.ts";
import { AnnouncementListener } from "../lab/announcements.ts";
import { eventually } from "../lab/eventually.ts";
import type { LabNode } from "../lab/node.ts";

const ADDRESS = "192.168.100.50";
const MANY = Array.from({ length: 50 }, (_, i) => `192.168.100.${100 + i}`);
const MANY_POOL = `
apiVersion: metallb.io/v1beta1
kind: IPAddressPool
metadata: {name: bulk, namespace: metallb-system}
spec: {addresses: ["${MANY.at(0)}-${MANY.at(-1)}"]}
`;
const FILL_TIMEOUT_MS = 60_000;
/** Long before any Lease could have expired. */
const TAKEOVER_MS_MAX = 5_000;

interface Leases {
  readonly items: readonly {
    readonly metadata: { readonly name: string };
    readonly spec: { readonly holderIdentity?: string; readonly leaseTransitions?: number };
  }[];
}

/** More than the Lease's 15 s, the read that confirms it, and a slow machine. */
const LEASE_EXPIRY_MS = 25_000;

async function ownerOf(c: DaemonCluster): Promise<string> {
  const owner = await c.untilAnswering(ADDRESS);
  const { epoch } = (await c.vip(c.daemon(owner), ADDRESS)) ?? { epoch: 0 };
  assert.ok(epoch > 0);
  return owner;
}

describe("the owner of an address", () => {
  const cluster = clusterForSuite({ nodes: 3 });

  test("that loses its data cable releases before any Lease expires", async () => {
    const c = cluster();
    await c.createService("web");
    assert.equal(await c.addressOf("web"), ADDRESS);
    const owner = await ownerOf(c);
    const pulledAt = performance.now();
    await c.node(owner).dataLink.down();
    const next = await c.untilAnswering(ADDRESS, { accepts: (node) => node !== owner });
    assert.ok(performance.now() - pulledAt < 10_000, "before the Lease of 15 s");
    const { stdout } = await c.daemon(next).lbctl(["history", ADDRESS, "-n", "1", "-o", "json"]);
    assert.equal(JSON.parse(stdout).items[0].cause, "released");
    const { stdout: lost } = await c.daemon(owner).lbctl(["history", ADDRESS]);
    assert.match(lost, /lost +\S+ +\d+ +not-eligible +no interface with carrier/);
    await c.node(owner).dataLink.up();
  });

  test("that returns takes nothing back by itself", async () => {
    const c = cluster();
    await untilMembers(c, 3);
    const owner = await ownerOf(c);
    const before = await c.vip(c.daemon(owner), ADDRESS);
    for (const node of c.lab.nodes) {
      if (node.name === owner) continue;
      await c.daemon(node.name).kill("SIGTERM");
      await c.start(node);
    }
    await untilMembers(c, 3);
    assert.equal(await ownerOf(c), owner);
    assert.equal((await c.vip(c.daemon(owner), ADDRESS))?.epoch, before?.epoch);
  });

  test("that is stopped hands over: somebody answers at every moment", async () => {
    const c = cluster();
    const owner = await ownerOf(c);
    const stopped = c.daemon(owner).kill("SIGTERM");
    let isStopping = true;
    void stopped.then(() => {
      isStopping = false;
    });
    while (isStopping) assert.notEqual((await c.lab.client.whoAnswers(ADDRESS)).length, 0);
    await stopped;
    const next = await c.untilAnswering(ADDRESS, { accepts: (node) => node !== owner });
    const { stdout } = await c.daemon(next).lbctl(["history", ADDRESS, "-n", "1", "-o", "json"]);
    assert.equal(JSON.parse(stdout).items[0].cause, "handed-over");
    await c.start(c.node(owner));
    await untilMembers(c, 3);
  });

  test("that is killed is replaced in the detection time, and forwards meanwhile", async () => {
    const c = cluster();
    const owner = await ownerOf(c);
    await c.daemon(owner).kill("SIGKILL");
    const next = await replaced(c, owner, "owner-silent");
    await c.start(c.node(owner));
    await untilMembers(c, 3);
    assert.deepEqual(await c.lab.client.whoAnswers(ADDRESS), [c.node(next).mac()]);
  });

  test("whose cables are both pulled is replaced in the detection time", async () => {
    const c = cluster();
    const owner = await ownerOf(c);
    await c.node(owner).pullCables();
    const next = await replaced(c, owner, "owner-silent");
    await c.node(owner).plugCables();
    await untilMembers(c, 3);
    assert.deepEqual(await c.lab.client.whoAnswers(ADDRESS), [c.node(next).mac()]);
  });

  test("that alone lost the API keeps its address: its beacons say that it lives", async () => {
    const c = cluster();
    await whileMachineRuns(c, ADDRESS, async () => {
      const owner = await ownerOf(c);
      const before = await c.vip(c.daemon(owner), ADDRESS);
      await c.node(owner).mgmtLink.down();
      try {
        await answersFor(c, owner, LEASE_EXPIRY_MS);
      } finally {
        await c.node(owner).mgmtLink.up();
        await untilMembers(c, 3);
      }
      const after = await c.vip(c.daemon(owner), ADDRESS);
      assert.deepEqual([after?.owner, after?.epoch], [owner, before?.epoch]);
    });
  });

  test("whose beacons are filtered while it answers keeps its address", async () => {
    const c = cluster();
    await whileMachineRuns(c, ADDRESS, async () => {
      const owner = await ownerOf(c);
      const others = c.lab.nodes.filter((node) => node.name !== owner);
      const filter = { oneWay: true, match: "udp dport 7473" };
      const partition = await c.lab.partition([c.node(owner)], others, filter);
      try {
        await answersFor(c, owner, 5_000);
        const other = c.daemon(others[0]?.name ?? "");
        const said = `Beacons of node "${owner}" do not arrive on eth0, though its host answers`;
        assert.match(await c.status(other), new RegExp(said));
      } finally {
        await partition.heal();
        await untilMembers(c, 3);
      }
      assert.equal(await ownerOf(c), owner);
      await c.untilStatus(c.daemon(others[0]?.name ?? ""), /health +ok/);
    });
  });

  test("that was frozen past its tenure wakes up silent and stays so", async () => {
    const c = cluster();
    const owner = await ownerOf(c);
    await c.daemon(owner).freeze();
    const next = await replaced(c, owner, "owner-silent");
    // Requests that the frozen process finds in its queue when it wakes up.
    for (let i = 0; i < 3; i++) await c.answering(ADDRESS);
    c.daemon(owner).thaw();
    for (let i = 0; i < 5; i++) {
      assert.deepEqual(await c.lab.client.whoAnswers(ADDRESS), [c.node(next).mac()]);
    }
    await untilMembers(c, 3);
    const { stdout } = await c.daemon(owner).lbctl(["history", ADDRESS]);
    assert.match(stdout, /lost +\S+ +\d+ +(tenure-lapsed|yielded)/);
  });

  test("that dies while the API is gone is replaced as fast, and nothing moves after", async () => {
    const c = cluster();
    const owner = await ownerOf(c);
    const before = await c.vip(c.daemon(owner), ADDRESS);
    await c.controlPlane.stopApiServer();
    await c.node(owner).pullCables();
    const next = await replaced(c, owner, "owner-silent");
    const { stdout } = await c.daemon(next).lbctl(["history", ADDRESS, "-n", "1"]);
    assert.match(stdout, /unwritten, \d+\+1/);
    await c.controlPlane.startApiServer();
    await c.node(owner).plugCables();
    await untilMembers(c, 3);
    const written = async () => c.vip(c.daemon(next), ADDRESS);
    const after = await eventually("the record names the new owner", written, {
      timeoutMs: 20_000,
      until: (vip) => vip?.owner === next,
    });
    assert.equal(after?.epoch, (before?.epoch ?? 0) + 1);
    assert.deepEqual(await c.lab.client.whoAnswers(ADDRESS), [c.node(next).mac()]);
  });

  test("of fifty addresses that dies loses each to one of the others, written once", async () => {
    const c = cluster();
    const owner = c.lab.node(1);
    const others = c.lab.nodes.filter((node) => node !== owner);
    await ownAll(c, owner);
    const before = await recordsOf(c);
    const listener = await AnnouncementListener.start(c.lab);
    await listener.begin(owner);
    await owner.pullCables();
    await eventually("all to be announced", () => listener.report(), {
      timeoutMs: TAKEOVER_MS_MAX,
      until: (found) => MANY.every((address) => address in found),
    });
    await owner.plugCables();
    await untilLive(c);
    const after = await recordsOf(c);
    const all = await listener.report();
    listener.stop();
    for (const address of MANY) {
      const { holder, epoch = 0 } = before.get(address) ?? {};
      assert.equal(holder, owner.name);
      const now = after.get(address);
      const by = others.find(({ name }) => name === now?.holder);
      assert.deepEqual(now, { holder: by?.name, epoch: epoch + 1 }, address);
      assert.equal(all[address]?.macs.at(-1), by?.mac(), `${address} is announced by its owner`);
    }
    // A write that takes more than 40 ms lets two announce; the record then decides.
    const byTwo = MANY.filter((address) => all[address]?.macs.length !== 1);
    assert.ok(byTwo.length <= MANY.length / 10, `announced by two: ${byTwo.join(" ")}`);
    const takers = await Promise.all(others.map((node) => owned(c, node)));
    assert.deepEqual(takers.flat().sort(), [...MANY].sort());
    assert.ok(
      takers.every((taken) => taken.length > 0),
      "by rank both have some",
    );
    assert.deepEqual(await owned(c, owner), []);
  });
});

/** The node answers, and nobody else does, at every look. */
async function answersFor(c: DaemonCluster, owner: string, ms: number): Promise<void> {
  const until = performance.now() + ms;
  while (performance.now() < until) {
    assert.deepEqual(await c.lab.client.whoAnswers(ADDRESS), [c.node(owner).mac()]);
  }
}

/** Another node answers, long before any Lease could have expired; its history says why. */
async function replaced(c: DaemonCluster, owner: string, cause: string): Promise<string> {
  const since = performance.now();
  const accepts = (node: string): boolean => node !== owner;
  const next = await c.untilAnswering(ADDRESS, { accepts, timeoutMs: LEASE_EXPIRY_MS });
  assert.ok(performance.now() - since < 5_000, "in less than the time between two renewals");
  const { stdout } = await c.daemon(next).lbctl(["history", ADDRESS, "-n", "1", "-o", "json"]);
  const [row] = JSON.parse(stdout).items as { cause: string; detail: string }[];
  assert.equal(row?.cause, cause);
  if (cause === "owner-silent") assertGap(row?.detail ?? "");
  return next;
}

/** What the new owner says of the gap: the hold, and what the claim took. */
function assertGap(detail: string): void {
  const gap = /unanswered for (\d+) ms at most/.exec(detail)?.[1];
  const ms = Number(gap);
  assert.ok(gap !== undefined && ms >= 290 && ms < 1_500, detail);
}

/** Fifty Services, whose addresses that node owns. */
async function ownAll(c: DaemonCluster, owner: LabNode): Promise<void> {
  await untilLive(c);
  const others = c.lab.nodes.filter((node) => node !== owner);
  // One that is drained takes nothing, and nothing moves back when it is drained no more.
  await Promise.all(others.map(({ name }) => c.daemon(name).lbctl(["drain"])));
  await c.controlPlane.apply(MANY_POOL);
  await c.createServices(
    MANY.map((address, i) => ({ name: `many-${i}`, spec: { loadBalancerIP: address } })),
  );
  await eventually("one node to own all", () => owned(c, owner), {
    timeoutMs: FILL_TIMEOUT_MS,
    until: (addresses) => addresses.length === MANY.length,
  });
  await Promise.all(others.map(({ name }) => c.daemon(name).lbctl(["undrain"])));
  await untilLive(c);
}

/** Those of the fifty that this node answers for. */
async function owned(c: DaemonCluster, node: LabNode): Promise<string[]> {
  const vips = await c.daemon(node.name).items<VipView>("/v1/vips");
  return vips
    .filter(({ here }) => here === "owning")
    .map(({ address }) => address)
    .filter((address) => MANY.includes(address));
}

/** By address, who the Lease names, and the epoch. */
async function recordsOf(
  c: DaemonCluster,
): Promise<Map<string, { holder: string | undefined; epoch: number }>> {
  const { items } = await c.controlPlane.get<Leases>("leases", "-n", "lbd-system");
  return new Map(
    items
      .filter(({ metadata }) => metadata.name.startsWith("lbd-vip-"))
      .map(({ metadata, spec }) => [
        metadata.name.replace("lbd-vip-", ""),
        { holder: spec.holderIdentity, epoch: spec.leaseTransitions ?? 0 },
      ]),
  );
}

// Two nodes have no majority without each other: the gateway decides between them, and where there
// is none, the node Lease does.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { clusterForSuite, type DaemonCluster } from "../cluster/support/daemon-cluster.ts";
import {
  answerers,
  history,
  leaseOf,
  untilMembers,
  untilOneAnswers,
} from "../cluster/support/ownership-watch.ts";
import { eventually } from "../lab/eventually.ts";

const ADDRESS = "192.168.100.50";
/** The node Lease's 15 s, the read that confirms it, and a slow machine. */
const LEASE_EXPIRY_MS = 25_000;
/** So long that a Lease that nobody renews has expired. */
const BEYOND_LEASE_MS = 18_000;
/** Less than the 15 s of the node Lease, which was renewed at most 5 s before the crash. */
const LEASE_STANDS_MS = 8_000;
/** The hold of 300 ms, and a slow machine. */
const TAKEOVER_MS_MAX = 2_000;

/** With six addresses, each of the two has some. */
const ADDRESSES = Array.from({ length: 6 }, (_, at) => `192.168.100.${50 + at}`);

async function serve(c: DaemonCluster, addresses: readonly string[]): Promise<void> {
  await untilMembers(c, 2);
  // Without a record of who had them, addresses go to whoever ranks first.
  const services = ADDRESSES.map((_, at) => `web${at}`);
  await c.controlPlane.kubectl(["delete", "service", "--ignore-not-found", ...services]);
  for (const address of ADDRESSES) {
    const find = () => c.vip(c.daemon("node1"), address);
    await eventually(`${address} free`, find, { until: (vip) => vip === undefined });
  }
  const leases = ADDRESSES.map(leaseOf);
  const gone = ["delete", "lease", "-n", "lbd-system", "--ignore-not-found", ...leases];
  await c.controlPlane.kubectl(gone);
  for (const [at, address] of addresses.entries()) {
    await c.createService(`web${at}`);
    assert.equal(await c.addressOf(`web${at}`), address);
  }
}

/** Both nodes own an address: by owner. */
async function ownedByEach(c: DaemonCluster): Promise<{ [node: string]: string }> {
  await serve(c, ADDRESSES);
  const owned: { [node: string]: string } = {};
  for (const address of ADDRESSES) owned[await c.untilAnswering(address)] ??= address;
  assert.equal(Object.keys(owned).length, 2);
  return owned;
}

/** Why the node gained the address last. */
async function causeAt(c: DaemonCluster, node: string): Promise<unknown> {
  const rows = await history(c.daemon(node), ADDRESS);
  return rows.find(({ change }) => change === "gained")?.cause;
}

describe("two nodes without a gateway", () => {
  const cluster = clusterForSuite({ nodes: 2 });

  test("that are cut from each other keep what each has", async () => {
    const c = cluster();
    const owned = Object.entries(await ownedByEach(c));
    const partition = await c.lab.partition([c.lab.node(1)], [c.lab.node(2)]);
    const until = performance.now() + BEYOND_LEASE_MS;
    while (performance.now() < until) {
      for (const [owner, address] of owned) {
        assert.deepEqual(await answerers(c, address), [owner]);
      }
    }
    await partition.heal();
    for (const [owner, address] of owned) {
      assert.equal((await untilOneAnswers(c, address)).owner, owner);
    }
  });

  test("one takes over when the other's node Lease has expired, not before", async () => {
    const c = cluster();
    const { owner } = await untilOneAnswers(c, ADDRESS);
    const survivor = c.other(owner).node.name;
    const pulledAt = performance.now();
    await c.node(owner).pullCables();
    while (performance.now() - pulledAt < LEASE_STANDS_MS) {
      assert.deepEqual(await answerers(c, ADDRESS), []);
    }
    const accepts = (node: string): boolean => node === survivor;
    await c.untilAnswering(ADDRESS, { accepts, timeoutMs: LEASE_EXPIRY_MS });
    assert.equal(await causeAt(c, survivor), "owner-down");
    await c.node(owner).plugCables();
    await untilMembers(c, 2);
    assert.equal((await untilOneAnswers(c, ADDRESS)).owner, survivor);
  });
});

describe("two nodes with a gateway", () => {
  const cluster = clusterForSuite({ nodes: 2, gateway: true });

  test("the one that the gateway answers takes over in the detection time", async () => {
    const c = cluster();
    await serve(c, [ADDRESS]);
    const { owner } = await untilOneAnswers(c, ADDRESS);
    const survivor = c.other(owner).node.name;
    const pulledAt = performance.now();
    await c.node(owner).pullCables();
    await c.untilAnswering(ADDRESS, { accepts: (node) => node === survivor });
    assert.ok(performance.now() - pulledAt < TAKEOVER_MS_MAX);
    assert.equal(await causeAt(c, survivor), "owner-silent");
    await c.node(owner).plugCables();
    await untilMembers(c, 2);
    assert.equal((await untilOneAnswers(c, ADDRESS)).owner, survivor);
  });

  for (const api of ["with", "without"] as const) {
    test(`one cut from the other and the gateway, ${api} the API, takes nothing`, async () => {
      const c = cluster();
      const owned = await ownedByEach(c);
      const [lonely, other] = c.lab.nodes.map((node) => node.name);
      assert.ok(lonely !== undefined && other !== undefined);
      const [its, theirs] = [owned[lonely] ?? "", owned[other] ?? ""];
      const beside = [c.node(other), c.lab.gateway].filter((host) => host !== null);
      if (api === "without") await c.node(lonely).mgmtLink.down();
      await c.lab.partition([c.node(lonely)], beside);
      const until = performance.now() + BEYOND_LEASE_MS;
      while (performance.now() < until) {
        assert.deepEqual(await answerers(c, theirs), [other]);
      }
      // The client hears both: without the API nobody can tell the lonely one to yield.
      const stays = api === "without" ? [lonely, other].sort() : [other];
      assert.deepEqual((await answerers(c, its)).sort(), stays);
      // The nodes hear each other first: it is not the record that tells the lonely one to yield.
      await c.lab.heal();
      await untilOneAnswers(c, its);
      await c.node(lonely).mgmtLink.up();
      await untilMembers(c, 2);
      for (const address of [its, theirs]) {
        assert.equal((await untilOneAnswers(c, address)).owner, other);
      }
      if (api === "without") await toldOfTwo(c, { address: its, by: other, of: lonely });
    });
  }
});

/**
 * Who keeps the address, or who yields, as the one hears of the other first, says that another
 * answered, too, in its history and as an Event.
 */
async function toldOfTwo(
  c: DaemonCluster,
  { address, by, of }: { address: string; by: string; of: string },
): Promise<void> {
  const pairs = [
    [by, c.node(of).mac()],
    [of, c.node(by).mac()],
  ] as const;
  const histories = await Promise.all(
    pairs.map(async ([node, mac]) => {
      const { stdout } = await c.daemon(node).lbctl(["history", address]);
      return new RegExp(`conflict +${node} +\\d+ +peer +${mac} on eth0`).test(stdout);
    }),
  );
  assert.ok(histories.includes(true), `two answered for ${address}, and nobody says so`);
  const list = () => c.controlPlane.kubectl(["get", "events", "-o", "json"]);
  await eventually("an Event", list, {
    until: (text) =>
      pairs.some(([, mac]) => text.includes(`host ${mac} also answers for ${address}`)),
  });
}

// A node that owns many addresses dies: the others take them all, each by one of them.
// `make bench-bulk` measures how long it takes for 1,000.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { VipView } from "../../src/api/types.ts";
import { AnnouncementListener } from "../lab/announcements.ts";
import { eventually } from "../lab/eventually.ts";
import type { LabNode } from "../lab/node.ts";
import { clusterForSuite, type DaemonCluster } from "./support/daemon-cluster.ts";
import { untilLive } from "./support/strike.ts";

const ADDRESSES = Array.from({ length: 50 }, (_, i) => `192.168.100.${100 + i}`);
const POOL = `
apiVersion: metallb.io/v1beta1
kind: IPAddressPool
metadata: {name: bulk, namespace: metallb-system}
spec: {addresses: ["${ADDRESSES.at(0)}-${ADDRESSES.at(-1)}"]}
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

describe("fifty addresses of a node that dies", () => {
  const cluster = clusterForSuite({ nodes: 3 });
  let listener: AnnouncementListener;
  let owner: LabNode;

  before(async () => {
    const c = cluster();
    owner = c.lab.node(1);
    listener = await AnnouncementListener.start(c.lab);
    await untilLive(c);
    // One that is drained takes nothing, and nothing moves back when it is drained no more.
    for (const { name } of c.lab.nodes.slice(1)) await c.daemon(name).lbctl(["drain"]);
    await c.controlPlane.apply(POOL);
    await c.createServices(
      ADDRESSES.map((address, i) => ({ name: `bulk-${i}`, spec: { loadBalancerIP: address } })),
    );
    await eventually("one node to own all", () => owned(c, owner), {
      timeoutMs: FILL_TIMEOUT_MS,
      until: (addresses) => addresses.length === ADDRESSES.length,
    });
    for (const { name } of c.lab.nodes.slice(1)) await c.daemon(name).lbctl(["undrain"]);
    await untilLive(c);
  });
  after(() => listener?.stop());

  test("are all taken by the others, each announced by one, and written once", async () => {
    const c = cluster();
    const others = c.lab.nodes.filter((node) => node !== owner);
    const before = await recordsOf(c);
    assert.deepEqual(new Set([...before.values()].map(({ holder }) => holder)), new Set(["node1"]));
    await listener.begin(owner);
    await owner.pullCables();
    const announced = await eventually("all to be announced", () => listener.report(), {
      timeoutMs: TAKEOVER_MS_MAX,
      until: (found) => ADDRESSES.every((address) => address in found),
    });
    await owner.plugCables();
    await untilLive(c);
    const after = await recordsOf(c);
    for (const address of ADDRESSES) {
      const by = others.find((node) => node.mac() === announced[address]?.macs[0])?.name;
      const { epoch = 0 } = before.get(address) ?? {};
      assert.deepEqual(after.get(address), { holder: by, epoch: epoch + 1 }, address);
    }
    const all = await listener.report();
    const twice = ADDRESSES.filter((address) => all[address]?.macs.length !== 1);
    assert.deepEqual(twice, []);
    const takers = await Promise.all(others.map((node) => owned(c, node)));
    assert.deepEqual(takers.flat().sort(), [...ADDRESSES].sort());
    assert.ok(
      takers.every((taken) => taken.length > 0),
      "by rank both have some",
    );
    assert.deepEqual(await owned(c, owner), []);
  });
});

/** The addresses that this node answers for. */
async function owned(c: DaemonCluster, node: LabNode): Promise<string[]> {
  const vips = await c.daemon(node.name).items<VipView>("/v1/vips");
  return vips.filter(({ here }) => here === "owning").map(({ address }) => address);
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

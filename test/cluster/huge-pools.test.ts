// Pools of a size that nobody means: every address there is, and 100,000 of them one by one. They
// are read and used, and what is served already is served on by the same node.

import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { eventually } from "../lab/eventually.ts";
import { clusterForSuite, POOL, whileMachineRuns } from "./support/daemon-cluster.ts";
import { recordOf } from "./support/ownership-watch.ts";

const ADDRESS = "192.168.100.50";
const ASKED = "192.168.100.60";
/** An object in etcd is at most 1.5 MB. */
const POOLS = 5;
const ENTRIES = 20_000;
const TIMEOUT_MS = 60_000;
/** Of the process, not bundled, and what the garbage collector has not looked at yet. */
const MEMORY_MB_MAX = 300;

function pool(name: string, addresses: readonly string[], more: object = {}): string {
  const metadata = { name, namespace: "metallb-system" };
  const spec = { addresses, ...more };
  const kind = "IPAddressPool";
  return JSON.stringify({ apiVersion: "metallb.io/v1beta1", kind, metadata, spec });
}

/** 10.x.y.z, each an entry of its own. */
function oneByOne(index: number): string[] {
  return Array.from({ length: ENTRIES }, (_, n) => {
    return `10.${index}.${n >> 8}.${n & 255}/32`;
  });
}

describe("huge pools", () => {
  const cluster = clusterForSuite({ nodes: 2 });
  const kubectl = (...argv: readonly string[]) => cluster().controlPlane.kubectl(argv);
  const memoryMb = async (node: string): Promise<number> => {
    const argv = ["curl", "-sS", "http://127.0.0.1:7472/metrics"];
    const text = await cluster().node(node).run(argv);
    const [, bytes] = /^process_resident_memory_bytes (\S+)$/m.exec(text) ?? [];
    return Number(bytes) / 2 ** 20;
  };
  /** The Service keeps its owner meanwhile, by the record and on the wire. */
  const whileServed = (work: () => Promise<void>) =>
    whileMachineRuns(cluster(), ADDRESS, async () => {
      const owner = await cluster().untilAnswering(ADDRESS);
      const record = await recordOf(cluster(), ADDRESS);
      await work();
      assert.deepEqual(await recordOf(cluster(), ADDRESS), record);
      assert.equal(await cluster().untilAnswering(ADDRESS), owner);
    });

  before(async () => {
    await cluster().createService("web");
    assert.equal(await cluster().addressOf("web"), ADDRESS);
    await cluster().untilAnswering(ADDRESS);
  });

  test("a pool of every address serves what is asked of it, and never 0.0.0.0", async () => {
    const c = cluster();
    await whileServed(async () => {
      await c.controlPlane.apply(pool("lan", ["0.0.0.0/0", "::/0"]));
      await c.createService("asks", { loadBalancerIP: ASKED });
      assert.equal(await c.addressOf("asks"), ASKED);
      await c.untilAnswering(ASKED);
      await c.createService("any");
      assert.equal(await c.addressOf("any"), "0.0.0.1");
      for (const ip of ["0.0.0.0", "255.255.255.255"]) {
        const name = `wants-${ip.replaceAll(".", "-")}`;
        await c.createService(name, { loadBalancerIP: ip });
        assert.match(
          (await c.untilEvent(name, "AllocationFailed")).note,
          /it is the (unspecified|limited)/,
        );
        await c.deleteService(name);
      }
      await c.deleteService("any");
      await c.deleteService("asks");
      await c.controlPlane.apply(POOL);
      await c.untilStatus(c.daemon("node1"), /health +ok/);
    });
    for (const node of ["node1", "node2"]) {
      const mb = await memoryMb(node);
      assert.ok(mb < MEMORY_MB_MAX, `${mb} MB`);
    }
  });

  test("100,000 addresses, one by one, are used, and move nothing that is served", async () => {
    const c = cluster();
    await whileServed(async () => {
      for (let index = 0; index < POOLS; index++) {
        // "apply" would keep a copy in an annotation, for which this is too long.
        await c.controlPlane.kubectl(["create", "-f", "-"], pool(`many${index}`, oneByOne(index)));
      }
      const last = `10.${POOLS - 1}.${(ENTRIES - 1) >> 8}.${(ENTRIES - 1) & 255}`;
      await c.createService("asks", { loadBalancerIP: last });
      await c.createService("any", {}, { "metallb.io/address-pool": "many3" });
      for (const [name, ip] of [
        ["asks", last],
        ["any", "10.3.0.0"],
      ] as const) {
        const read = async () => (await c.service(name)).addresses.join();
        await eventually(`${name} to have ${ip}`, read, {
          timeoutMs: TIMEOUT_MS,
          until: (found) => found === ip,
        });
      }
      // A change elsewhere is looked at together with all of them.
      await kubectl("label", "ipaddresspool", "many0", "-n", "metallb-system", "size=huge");
      await c.createService("later");
      await c.addressOf("later");
      const names = Array.from({ length: POOLS }, (_, index) => `many${index}`);
      for (const name of ["asks", "any", "later"]) await c.deleteService(name);
      await kubectl("delete", "ipaddresspool", ...names, "-n", "metallb-system");
      await c.untilStatus(c.daemon("node1"), /health +ok/, TIMEOUT_MS);
    });
  });
});

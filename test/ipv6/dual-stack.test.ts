// IPv6 and dual-stack Services with real daemons and the real API server: one node answers for both
// addresses of a Service, and both move together, whatever happens to it.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { clusterForSuite, type DaemonCluster } from "../cluster/support/daemon-cluster.ts";
import { eventually } from "../lab/eventually.ts";
import { ADDRESS6, BOTH, DUAL_STACK, POOL6 } from "./support/dual-stack-pool.ts";

const IPV6 = { ipFamilyPolicy: "SingleStack", ipFamilies: ["IPv6"] };
/** From the pulled cables to the first answer: detection, claim, and how often it is looked. */
const FAILOVER_MS_MAX = 2_000;

async function addressesOf(c: DaemonCluster, name: string, count: number): Promise<string[]> {
  const { addresses } = await eventually(`addresses of ${name}`, () => c.service(name), {
    timeoutMs: 15_000,
    until: (service) => service.addresses.length === count,
  });
  return addresses;
}

/** The node that answers for all of them, once it is one, and one that is accepted. */
async function untilOne(
  c: DaemonCluster,
  addresses: readonly string[],
  accepts: (node: string) => boolean = () => true,
): Promise<string> {
  const ask = async () => {
    const nodes = [];
    for (const address of addresses) nodes.push(await c.answering(address));
    return nodes;
  };
  const isOne = ([first, ...rest]: (string | null)[]): boolean =>
    first != null && accepts(first) && rest.every((node) => node === first);
  const [node] = await eventually(`one node for ${addresses.join(" and ")}`, ask, {
    timeoutMs: 20_000,
    until: isOne,
  });
  return node ?? "";
}

describe("dual stack", () => {
  const cluster = clusterForSuite({
    ...{ nodes: 3, dualStack: true, foreignHost: true },
    prepare: (c) => c.controlPlane.apply(POOL6),
  });
  const foreign = () => cluster().lab.foreignHost ?? assert.fail("no foreign host");

  test("a Service of two families has two addresses, and one node answers for both", async () => {
    const c = cluster();
    await c.createService("web", DUAL_STACK);
    assert.deepEqual(await addressesOf(c, "web", 2), BOTH);
    const owner = await untilOne(c, BOTH);
    await c.untilStatus(c.daemon(owner), /health +ok/, 30_000);
    const explained = await c.daemon(owner).lbctl(["explain", "default/web"]);
    assert.match(explained.stdout, /fd00:100::50/);
  });

  test("both addresses go to one other node when their owner's cables are pulled", async () => {
    const c = cluster();
    const owner = await untilOne(c, BOTH);
    const at = performance.now();
    await c.node(owner).pullCables();
    try {
      const next = await untilOne(c, BOTH, (node) => node !== owner);
      const tookMs = performance.now() - at;
      assert.ok(tookMs < FAILOVER_MS_MAX, `${tookMs} ms until ${next} answered for both`);
    } finally {
      await c.node(owner).plugCables();
    }
    await c.untilStatus(c.daemon(owner), /health +ok/, 30_000);
  });

  test("a drain hands both over to one node, and nobody takes them back", async () => {
    const c = cluster();
    const owner = await untilOne(c, BOTH);
    assert.equal((await c.daemon(owner).lbctl(["drain"], 60_000)).code, 0);
    const next = await untilOne(c, BOTH, (node) => node !== owner);
    for (const address of BOTH) {
      const { stdout } = await c.daemon(next).lbctl(["history", address]);
      assert.match(stdout, /gained +\S+ +\d+ +handed-over/, address);
    }
    assert.equal((await c.daemon(owner).lbctl(["undrain"])).code, 0);
    assert.equal(await untilOne(c, BOTH), next);
  });

  test("a move of one address takes the other along", async () => {
    const c = cluster();
    const owner = await untilOne(c, BOTH);
    const other = c.other(owner).node.name;
    assert.equal((await c.daemon(owner).lbctl(["move", ADDRESS6, other])).code, 0);
    assert.equal(await untilOne(c, BOTH), other);
  });

  test("without the Kubernetes API an owner that dies is replaced for both", async () => {
    const c = cluster();
    const owner = await untilOne(c, BOTH);
    await c.controlPlane.stopApiServer();
    try {
      await c.daemon(owner).kill();
      await untilOne(c, BOTH, (node) => node !== owner);
    } finally {
      await c.controlPlane.startApiServer();
      await c.start(c.node(owner));
    }
    for (const daemon of c.daemons.values()) await c.untilStatus(daemon, /health +ok/, 60_000);
  });

  test("a restart of the owner's daemon moves neither", async () => {
    const c = cluster();
    const owner = await untilOne(c, BOTH);
    await c.daemon(owner).kill("SIGUSR2");
    await c.start(c.node(owner));
    await eventually("it to own both", () => c.daemon(owner).lbctl(["vips", "-o", "json"]), {
      timeoutMs: 15_000,
      until: ({ stdout }) => {
        const { items } = JSON.parse(stdout) as { items: { address: string; here: string }[] };
        const owned = items.filter(({ here }) => here === "owning").map(({ address }) => address);
        return BOTH.every((address) => owned.includes(address));
      },
    });
    assert.equal(await untilOne(c, BOTH), owner);
  });

  test("an IPv6 Service gets the next address that no other host has", async () => {
    const c = cluster();
    await foreign().run(["ip", "addr", "add", "fd00:100::51/64", "dev", "eth0", "nodad"]);
    try {
      await c.createService("six", IPV6);
      assert.deepEqual(await addressesOf(c, "six", 1), ["fd00:100::52"]);
      const { note } = await c.untilEvent("six", "addressInUse");
      assert.match(note, /fd00:100::51/);
      await untilOne(c, ["fd00:100::52"]);
    } finally {
      await foreign().run(["ip", "addr", "del", "fd00:100::51/64", "dev", "eth0"]);
    }
  });

  test("a host that claims an IPv6 address is told of, and the owner answers on", async () => {
    const c = cluster();
    const owner = await untilOne(c, BOTH);
    await foreign().run(["ip", "addr", "add", `${ADDRESS6}/64`, "dev", "eth0", "nodad"]);
    try {
      await foreign().tryRun(["ping", "-6", "-c", "1", "-W", "1", "-I", ADDRESS6, "ff02::1%eth0"]);
      await foreign().tryRun(["ndisc6", "-s", ADDRESS6, "-r", "1", "fd00:100::50", "eth0"]);
      const { note } = await c.untilEvent("web", "addressConflict");
      assert.match(note, new RegExp(foreign().mac()));
    } finally {
      await foreign().run(["ip", "addr", "del", `${ADDRESS6}/64`, "dev", "eth0"]);
    }
    assert.equal(await untilOne(c, BOTH), owner);
  });

  test("addresses that came apart are with the owner of the first again", async () => {
    const c = cluster();
    const owner = await untilOne(c, BOTH);
    const other = c.other(owner).node.name;
    const lease = ["lease", "lbd-vip-fd00-0100-0000-0000-0000-0000-0000-0050", "-n", "lbd-system"];
    const { spec } = await c.controlPlane.get<{ spec: { leaseTransitions: number } }>(...lease);
    const edited = { holderIdentity: other, leaseTransitions: spec.leaseTransitions + 5 };
    const patch = JSON.stringify({ spec: edited });
    await c.controlPlane.kubectl(["patch", ...lease, "--type=merge", "-p", patch]);
    await eventually(`${other} to answer`, () => c.answering(ADDRESS6), {
      timeoutMs: 10_000,
      until: (node) => node === other,
    });
    assert.equal(await untilOne(c, BOTH), owner);
    const { stdout } = await c.daemon(other).lbctl(["history", ADDRESS6]);
    assert.match(stdout, new RegExp(`lost .*handed-over.*"${owner}" has 192\\.168\\.100\\.50`));
  });
});

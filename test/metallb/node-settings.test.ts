// Settings of the node file that say where an address may be answered: the label that excludes
// nodes, which is looked at or not, and interfaces that are left out.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { clusterForSuite, type DaemonCluster } from "../cluster/support/daemon-cluster.ts";
import { recordOf } from "../cluster/support/ownership-watch.ts";
import { eventually } from "../lab/eventually.ts";
import { EXCLUDE } from "./support/case.ts";

const ADDRESS = "192.168.100.50";
const TIMEOUT_MS = 20_000;
/** Its addresses are answered where a node has `rack=a`. */
const RACKED = { addresses: ["192.168.100.70-192.168.100.79"], autoAssign: false };
const RACKED_ADDRESS = "192.168.100.70";

function apply(c: DaemonCluster, kind: string, name: string, spec: object): Promise<void> {
  const metadata = { name, namespace: "metallb-system" };
  const object = { apiVersion: "metallb.io/v1beta1", kind, metadata, spec };
  return c.controlPlane.apply(JSON.stringify(object));
}

/** Each change is `key=value` or `key-`, all in one write. */
function label(c: DaemonCluster, node: string, ...changes: readonly string[]): Promise<string> {
  return c.controlPlane.kubectl(["label", "node", node, "--overwrite", ...changes]);
}

function untilSilent(c: DaemonCluster, address: string): Promise<string[]> {
  return eventually(`silence for ${address}`, () => c.lab.client.whoAnswers(address), {
    timeoutMs: TIMEOUT_MS,
    until: (macs) => macs.length === 0,
  });
}

describe("the label that excludes nodes", () => {
  const cluster = clusterForSuite({ nodes: 2 });
  let owner = "";

  test("moves what a node has when it is set, and moves nothing back when it goes", async () => {
    const c = cluster();
    await c.createService("web");
    assert.equal(await c.addressOf("web"), ADDRESS);
    const first = await c.untilAnswering(ADDRESS);
    await label(c, first, `${EXCLUDE}=`);
    owner = await c.untilAnswering(ADDRESS, { accepts: (node) => node !== first });
    const { stdout } = await c.daemon(first).lbctl(["explain", ADDRESS]);
    assert.match(stdout, new RegExp(`${first}: not eligible, it has the label ${EXCLUDE}`));
    const before = await recordOf(c, ADDRESS);
    await label(c, first, `${EXCLUDE}-`);
    await eventually("the node to be eligible", () => c.daemon(first).lbctl(["explain", ADDRESS]), {
      timeoutMs: TIMEOUT_MS,
      until: ({ stdout: text }) => !text.includes("not eligible"),
    });
    assert.deepEqual(await recordOf(c, ADDRESS), before);
    assert.equal(await c.untilAnswering(ADDRESS), owner);
  });

  test("counts whatever its value is, `false` too", async () => {
    const c = cluster();
    await label(c, owner, `${EXCLUDE}=false`);
    await c.untilAnswering(ADDRESS, { accepts: (node) => node !== owner });
    await label(c, owner, `${EXCLUDE}-`);
  });

  test("on all nodes silences the address, and the status says why", async () => {
    const c = cluster();
    for (const { name } of c.lab.nodes) await label(c, name, `${EXCLUDE}=`);
    await untilSilent(c, ADDRESS);
    const status = await c.untilStatus(c.daemon("node1"), /Nobody answers for 192\.168\.100\.50/);
    assert.match(status, new RegExp(`node1: it has the label ${EXCLUDE}`));
    assert.deepEqual((await c.service("web")).addresses, [ADDRESS], "it keeps its address");
    await label(c, "node2", `${EXCLUDE}-`);
    await c.untilAnswering(ADDRESS, { accepts: (node) => node === "node2" });
  });
});

describe("ignoreExcludeLabel", () => {
  const cluster = clusterForSuite({
    nodes: 2,
    config: { ignoreExcludeLabel: true },
    prepare: async (c) => {
      for (const { name } of c.lab.nodes) await label(c, name, `${EXCLUDE}=`);
    },
  });
  let owner = "";

  test("lets nodes own that had the label before they were started", async () => {
    const c = cluster();
    await c.createService("web");
    assert.equal(await c.addressOf("web"), ADDRESS);
    owner = await c.untilAnswering(ADDRESS);
    const { stdout } = await c.daemon(owner).lbctl(["explain", ADDRESS]);
    assert.doesNotMatch(stdout, /not eligible/);
  });

  test("moves nothing when the label is set or goes, and what it is set with counts", async () => {
    const c = cluster();
    await apply(c, "IPAddressPool", "racked", RACKED);
    const nodeSelectors = [{ matchLabels: { rack: "a" } }];
    await apply(c, "L2Advertisement", "racked", { ipAddressPools: ["racked"], nodeSelectors });
    await apply(c, "L2Advertisement", "everything", { ipAddressPools: ["lan"] });
    await c.createService("racked", { loadBalancerIP: RACKED_ADDRESS });
    await untilSilent(c, RACKED_ADDRESS);
    const before = await recordOf(c, ADDRESS);
    // The other label of the same write shows that the daemons have seen it.
    await label(c, owner, `${EXCLUDE}-`, "rack=a");
    await c.untilAnswering(RACKED_ADDRESS, { accepts: (node) => node === owner });
    await label(c, owner, "rack-");
    await untilSilent(c, RACKED_ADDRESS);
    await label(c, owner, `${EXCLUDE}=true`, "rack=a");
    await c.untilAnswering(RACKED_ADDRESS, { accepts: (node) => node === owner });
    assert.deepEqual(await recordOf(c, ADDRESS), before);
    assert.equal(await c.untilAnswering(ADDRESS), owner);
  });

  test("lets a node with the label take over", async () => {
    const c = cluster();
    await c.daemon(owner).kill("SIGTERM");
    const other = await c.untilAnswering(ADDRESS, { accepts: (node) => node !== owner });
    const labels = await c.controlPlane.kubectl(["get", "node", other, "--show-labels"]);
    assert.match(labels, new RegExp(EXCLUDE));
  });
});

describe("excludeInterfaces", () => {
  const cluster = clusterForSuite({
    nodes: 2,
    secondDataSegment: true,
    // The beginning of no name: it may be anywhere in one, as in MetalLB's list.
    config: (node) => (node === "node1" ? { excludeInterfaces: ["th1$", "^docker.*"] } : {}),
  });
  const ON_ETH1 = "192.168.101.50";
  const only = (node: string) => [{ matchLabels: { "kubernetes.io/hostname": node } }];
  const advertise = (node: string, interfaces: readonly string[]) =>
    apply(cluster(), "L2Advertisement", "far", {
      ...{ ipAddressPools: ["far"], nodeSelectors: only(node), interfaces },
    });

  test("an interface that matches is answered on by nobody, though it is named", async () => {
    const c = cluster();
    await apply(c, "IPAddressPool", "far", { addresses: [`${ON_ETH1}/32`] });
    await apply(c, "L2Advertisement", "everything", { ipAddressPools: ["lan"] });
    await advertise("node2", ["eth1"]);
    await c.createService("far", { loadBalancerIP: ON_ETH1 });
    await c.untilAnswering(ON_ETH1, { timeoutMs: TIMEOUT_MS });
    assert.deepEqual(await c.lab.client.whoAnswers(ON_ETH1), [c.node("node2").mac("data2")]);
    await advertise("node1", ["eth1"]);
    await untilSilent(c, ON_ETH1);
    await c.untilStatus(c.daemon("node1"), /Nobody answers for 192\.168\.101\.50/);
  });

  test("the other interfaces of the node are answered on", async () => {
    const c = cluster();
    await advertise("node1", ["eth0", "eth1"]);
    const onEth0 = async () => {
      const { client } = c.lab;
      const argv = ["arping", "-b", "-c", "2", "-w", "1", "-I", "eth0", ON_ETH1];
      return (await client.tryRun(argv)).stdout.toLowerCase();
    };
    await eventually("node1 to answer on eth0", onEth0, {
      timeoutMs: TIMEOUT_MS,
      until: (text) => text.includes(c.node("node1").mac()),
    });
    await untilSilent(c, ON_ETH1);
  });

  test("no beacon leaves by an interface that matches", async () => {
    const c = cluster();
    // A tenth of a second apart where they are sent.
    const listen = async (name: "eth0" | "eth1") => {
      const filter = ["udp", "and", "src", "host", c.node("node1").address(SEGMENT_OF[name])];
      const argv = ["timeout", "3", "tcpdump", "-n", "-p", "-c", "5", "-i", name, ...filter];
      return (await c.node("node1").tryRun(argv)).code;
    };
    assert.deepEqual(await Promise.all([listen("eth0"), listen("eth1")]), [0, 124]);
  });
});

const SEGMENT_OF = { eth0: "data", eth1: "data2" } as const;

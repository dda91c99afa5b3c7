// Which nodes own, on which interfaces they answer, and which addresses are given away by
// themselves: pools and advertisements with selectors, changed by kubectl while in use.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { eventually } from "../lab/eventually.ts";
import type { SegmentName } from "../lab/segment.ts";
import { clusterForSuite, type DaemonCluster } from "./support/daemon-cluster.ts";

const ADDRESSES = ["192.168.100.50", "192.168.100.51", "192.168.100.52", "192.168.100.53"];
const SERVICES = ["a", "b", "c", "d"];
const [FIRST] = ADDRESSES as [string];
const DATA: SegmentName[] = ["data", "data2"];

function apply(c: DaemonCluster, kind: string, name: string, spec: object): Promise<void> {
  const metadata = { name, namespace: "metallb-system" };
  return c.controlPlane.apply(
    JSON.stringify({ apiVersion: "metallb.io/v1beta1", kind, metadata, spec }),
  );
}

/** The advertisement of the suite's pool, with what is said of it. */
function advertise(c: DaemonCluster, spec: object): Promise<void> {
  return apply(c, "L2Advertisement", "everything", { ipAddressPools: ["lan"], ...spec });
}

const onRack = (rack: string) => ({ nodeSelectors: [{ matchLabels: { rack } }] });

function label(c: DaemonCluster, node: string, change: string): Promise<string> {
  return c.controlPlane.kubectl(["label", "node", node, change]);
}

/** Who answers on a segment, whatever the address's own prefix: `node on segment`. */
async function answersOn(c: DaemonCluster, segment: SegmentName): Promise<string[]> {
  const { client, nodes } = c.lab;
  const device = client.linkOn(segment).ends.interfaceName;
  const from = ["-s", client.address(segment), "-I", device];
  const argv = ["arping", "-b", "-c", "2", "-w", "1", ...from, FIRST];
  const { stdout } = await client.tryRun(argv);
  const macs = [...stdout.matchAll(/\[([0-9A-F:]{17})\]/gi)].map(([, mac]) => mac?.toLowerCase());
  return [...new Set(macs)].map((mac) => {
    const owner = nodes.find((node) => node.mac(segment) === mac)?.name;
    return `${owner ?? mac} on ${segment}`;
  });
}

/** Until exactly these answer, on the two segments together. */
function untilAnswers(c: DaemonCluster, expected: readonly string[]): Promise<string[]> {
  const ask = async () => (await Promise.all(DATA.map((name) => answersOn(c, name)))).flat().sort();
  return eventually(`answers from ${expected.join(", ")}`, ask, {
    timeoutMs: 15_000,
    until: (found) => found.join() === expected.join(),
  });
}

describe("selectors", () => {
  const cluster = clusterForSuite({ nodes: 3, secondDataSegment: true });
  const untilOwner = (address: string, node: string) =>
    cluster().untilAnswering(address, { accepts: (found) => found === node });

  test("a node selector: only the node that it selects owns", async () => {
    const c = cluster();
    await label(c, "node2", "rack=a");
    await advertise(c, onRack("a"));
    await c.untilStatus(c.daemon("node2"), /health +ok/);
    for (const name of SERVICES) await c.createService(name);
    assert.deepEqual(await Promise.all(SERVICES.map((name) => c.addressOf(name))), ADDRESSES);
    for (const address of ADDRESSES) assert.equal(await c.untilAnswering(address), "node2");
    const { stdout } = await c.daemon("node1").lbctl(["explain", FIRST]);
    assert.match(stdout, /not selected by L2Advertisement "everything"/);
  });

  test("a node selector that changes moves what is owned", async () => {
    const c = cluster();
    await label(c, "node3", "rack=b");
    await advertise(c, onRack("b"));
    for (const address of ADDRESSES) await untilOwner(address, "node3");
    assert.deepEqual(await c.lab.client.whoAnswers(FIRST), [c.node("node3").mac()]);
    const { stdout } = await c.daemon("node2").lbctl(["history", FIRST]);
    assert.match(stdout, /lost +\S+ +\d+ +handed-over .*: not selected by L2Advertisement/);
  });

  test("a label that moves to another node moves what is owned", async () => {
    const c = cluster();
    await label(c, "node3", "rack-");
    await label(c, "node1", "rack=b");
    for (const address of ADDRESSES) await untilOwner(address, "node1");
    assert.deepEqual(await c.lab.client.whoAnswers(FIRST), [c.node("node1").mac()]);
  });

  test("a node selector that selects nobody silences the address, and says why", async () => {
    const c = cluster();
    await advertise(c, onRack("none"));
    const status = await c.untilStatus(c.daemon("node2"), /Nobody answers for 192\.168\.100\.50/);
    assert.match(status, /node2: not selected by L2Advertisement "everything"/);
    await untilAnswers(c, []);
    await advertise(c, onRack("b"));
    await untilOwner(FIRST, "node1");
  });

  test("interfaces: only those that are named answer, whatever their prefix", async () => {
    const c = cluster();
    await untilAnswers(c, ["node1 on data"]);
    await advertise(c, { ...onRack("b"), interfaces: ["eth1"] });
    await untilAnswers(c, ["node1 on data2"]);
    await advertise(c, { ...onRack("b"), interfaces: ["eth0", "eth1"] });
    await untilAnswers(c, ["node1 on data", "node1 on data2"]);
    await advertise(c, { ...onRack("b"), interfaces: ["eth0"] });
    await untilAnswers(c, ["node1 on data"]);
    await advertise(c, {});
    await untilAnswers(c, ["node1 on data"]);
  });

  test("a pool with autoAssign false is for those who ask for it alone", async () => {
    const c = cluster();
    await apply(c, "IPAddressPool", "lan", { addresses: [`${FIRST}-${ADDRESSES[3]}`] });
    const quiet = { addresses: ["192.168.100.70-192.168.100.79"], autoAssign: false };
    await apply(c, "IPAddressPool", "quiet", quiet);
    await c.createService("patient");
    await c.untilEvent("patient", "AllocationFailed");
    await c.createService("asks", { loadBalancerIP: "192.168.100.71" });
    assert.equal(await c.addressOf("asks"), "192.168.100.71");
    assert.deepEqual((await c.service("patient")).addresses, []);
  });

  test("a pool with avoidBuggyIPs skips .0 and .255", async () => {
    const c = cluster();
    const addresses = ["192.168.102.254-192.168.103.1"];
    await apply(c, "IPAddressPool", "edge", { addresses, avoidBuggyIPs: true });
    assert.equal(await c.addressOf("patient"), "192.168.102.254");
    await c.createService("next");
    assert.equal(await c.addressOf("next"), "192.168.103.1");
    await c.createService("late");
    await c.untilEvent("late", "AllocationFailed");
    await apply(c, "IPAddressPool", "edge", { addresses, avoidBuggyIPs: false });
    assert.equal(await c.addressOf("late"), "192.168.102.255");
  });
});

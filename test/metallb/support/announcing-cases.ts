// Cases about Services that are announced at all: their traffic, their pools, shared addresses.

import assert from "node:assert/strict";
import { join } from "node:path";
import { endpointOn } from "../../cluster/support/daemon-cluster.ts";
import { deployBackends } from "../../lab/backends.ts";
import { eventually } from "../../lab/eventually.ts";
import { endpointSliceManifest } from "../../lab/manifests.ts";
import { caseTest, type MetallbCase } from "./case.ts";
import type { CaseCluster } from "./case-cluster.ts";

const UDP_SERVER = join(import.meta.dirname, "../../lab/udp-echo-server.ts");
const REQUESTS = 20;

export function announcingCases(cases: () => CaseCluster): void {
  trafficCases(cases);
  poolCases(cases);
}

function trafficCases(cases: () => CaseCluster): void {
  caseTest(cases, "2: under Local only pods of the node that answers are reached", async (one) => {
    const { cluster: c } = one;
    await one.pool();
    await one.advertise();
    const address = one.address(0);
    const ports = [{ port: 80, targetPort: 8080 }];
    const spec = { externalTrafficPolicy: "Local", ports };
    const name = await one.service(address, { spec, endpoints: [] });
    const nodeOf = new Map([1, 2, 3, 1, 2].map((node, i) => [`local-${i}`, c.lab.node(node)]));
    const pods = [...nodeOf].map(([pod, node]) => ({ name: pod, node }));
    await deployBackends(c.controlPlane, { service: name, port: 8080, pods });
    await one.untilAnsweredBy(address, one.ranking(address)[0] ?? "");
    await untilHttp(one, address);
    for (let i = 0; i < REQUESTS; i++) {
      const { body } = await c.lab.client.curl(`http://${address}/`);
      const [row] = await c.lab.client.neighbours(address);
      assert.equal(nodeOf.get(JSON.parse(body).pod)?.mac(), row?.lladdr);
    }
  });

  caseTest(cases, "3: TCP and UDP ports of one Service both answer", async (one) => {
    const { cluster: c } = one;
    await one.pool();
    await one.advertise();
    const address = one.address(0);
    const ports = [
      { name: "http", port: 80, targetPort: 8080 },
      { name: "echo", port: 90, targetPort: 9090, protocol: "UDP" },
    ];
    const name = await one.service(address, { spec: { ports }, endpoints: [] });
    const pods = [{ name: "mixed", node: c.lab.node(2) }];
    const plan = { service: name, port: 8080, portName: "http", pods };
    const pod = (await deployBackends(c.controlPlane, plan)).pod("mixed");
    const server = pod.spawn("udp-echo", [process.execPath, UDP_SERVER, "9090"]);
    await server.waitForOutput(/listening on/);
    await c.controlPlane.apply(udpSlice(name, endpointOn("node2", { address: pod.address() })));
    await untilHttp(one, address);
    const ask = `exec 3<>/dev/udp/${address}/90; echo hello >&3; timeout 1 head -n 1 <&3`;
    const udp = async () => (await c.lab.client.tryRun(["bash", "-c", ask])).stdout;
    await eventually("an answer by UDP", udp, { until: (text) => text.endsWith(" hello\n") });
    await c.controlPlane.kubectl(["delete", "endpointslice", `${name}-udp`]);
  });
}

function poolCases(cases: () => CaseCluster): void {
  caseTest(cases, "7: a pool may be a range, or CIDRs", async (one) => {
    const [first = "", second = "", third = "", fourth = ""] = one.addresses.slice(4);
    await one.pool({ addresses: [`${one.address(0)}-${one.address(3)}`] });
    await one.pool({ addresses: [`${first}/31`, `${third}/32`] }, "case7-cidrs");
    await one.advertise({ ipAddressPools: [one.name, "case7-cidrs"] });
    for (const [i, address] of [one.address(1), second, third].entries()) {
      await one.service(address, { name: `s${i}` });
    }
    for (const address of [one.address(1), second, third]) {
      await one.untilAnsweredBy(address, one.ranking(address)[0] ?? "");
    }
    const outside = await one.service(fourth, { name: "outside" });
    const note = await one.untilEvent(outside, "AllocationFailed");
    assert.match(note, /is not allowed in config/);
  });

  caseTest(cases, "8: Services that share an address have one announcing node", async (one) => {
    await one.pool();
    await one.advertise();
    const address = one.address(0);
    const annotations = { "metallb.io/allow-shared-ip": "case8" };
    const names: string[] = [];
    for (const [i, node] of ["node1", "node2", "node3"].entries()) {
      const spec = { ports: [{ port: 80 + i }] };
      const plan = { name: `s${i}`, annotations, spec, endpoints: [endpointOn(node)] };
      names.push(await one.service(address, plan));
      // The later ones join an address that is announced already.
      await one.untilAnsweredBy(address, one.ranking(address)[0] ?? "");
    }
    const events = await Promise.all(names.map((name) => one.untilEvent(name, "nodeAssigned")));
    const [first] = one.ranking(address);
    for (const note of events) {
      assert.equal(note, `announcing from node "${first}" with protocol "layer2"`);
    }
  });

  for (const family of ["IPv4", "IPv6"] as const) {
    for (const autoAssign of [true, false]) {
      const title = `9: an ${family} pool is asked for by annotation, autoAssign ${autoAssign}`;
      caseTest(cases, title as `9: ${string}`, (one) => poolByAnnotation(one, family, autoAssign));
    }
  }
}

/** The Service goes to the second pool; one that has an address of the first keeps it. */
async function poolByAnnotation(
  one: MetallbCase,
  family: "IPv4" | "IPv6",
  autoAssign: boolean,
): Promise<void> {
  const blocks =
    family === "IPv4"
      ? [`${one.address(0)}-${one.address(3)}`, `${one.address(4)}-${one.address(7)}`]
      : ["2001:db8:9::/126", "2001:db8:9::8/126"];
  await one.pool({ addresses: [blocks[0]] });
  await one.pool({ addresses: [blocks[1]], autoAssign }, "case9-second");
  await one.advertise({ ipAddressPools: [one.name, "case9-second"] });
  const spec = { ipFamilies: [family] };
  const ask = (pool: string) => ({ "metallb.io/address-pool": pool });
  const firstName = await one.service(null, { name: "first", spec, annotations: ask(one.name) });
  const [first = "", second = ""] =
    family === "IPv4" ? [one.address(0), one.address(4)] : V6_FIRSTS;
  await one.untilHas(firstName, first);
  const name = await one.service(null, { name: "second", spec, annotations: ask("case9-second") });
  await one.untilHas(name, second);
  assert.equal((await one.status(name)).pool, "case9-second");
  assert.deepEqual((await one.status(firstName)).addresses, [first]);
}

const V6_FIRSTS = ["2001:db8:9::", "2001:db8:9::8"];

async function untilHttp(one: MetallbCase, address: string): Promise<void> {
  const ask = () => one.cluster.lab.client.curl(`http://${address}/`, { timeoutMs: 500 });
  await eventually("HTTP", ask, { timeoutMs: 15_000, until: ({ status }) => status === 200 });
}

function udpSlice(service: string, endpoint: ReturnType<typeof endpointOn>): string {
  const slice = endpointSliceManifest({
    ...{ service, namespace: "default", family: "IPv4", portName: "echo", port: 9090 },
    protocol: "UDP",
    endpoints: [endpoint],
  }) as { metadata: object };
  const metadata = { ...slice.metadata, name: `${service}-udp` };
  return JSON.stringify({ ...slice, metadata });
}

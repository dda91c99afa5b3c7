// Addresses as MetalLB gives them, against the real API server: shared ones, pools for certain
// namespaces, a second family, a leader that goes; and who announces them.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { eventually } from "../lab/eventually.ts";
import { clusterForSuite, type DaemonCluster, endpointOn } from "./support/daemon-cluster.ts";

const KEY = { "metallb.io/allow-shared-ip": "dns" };
const TCP = { ports: [{ port: 53, protocol: "TCP" }], selector: { app: "dns" } };
const UDP = { ports: [{ port: 53, protocol: "UDP" }], selector: { app: "other" } };
const FIRST = "192.168.100.50";

function apply(c: DaemonCluster, kind: string, name: string, spec: object): Promise<void> {
  const metadata = { name, namespace: "metallb-system" };
  return c.controlPlane.apply(
    JSON.stringify({ apiVersion: "metallb.io/v1beta1", kind, metadata, spec }),
  );
}

function patch(c: DaemonCluster, service: string, change: object): Promise<string> {
  return c.controlPlane.kubectl(["patch", "service", service, "-p", JSON.stringify(change)]);
}

/** Until the Service has just these addresses. */
function untilHas(c: DaemonCluster, service: string, ...addresses: string[]) {
  return eventually(`${service} to have ${addresses}`, () => c.service(service), {
    timeoutMs: 20_000,
    until: (found) => found.addresses.join() === addresses.join(),
  });
}

interface Row {
  readonly metadata: { readonly name: string; readonly resourceVersion: string };
}

/** What of every Service changes with every write of it. */
async function versions(c: DaemonCluster): Promise<Record<string, string>> {
  const list = await c.controlPlane.get<{ items: Row[] }>("services");
  return Object.fromEntries(
    list.items.map(({ metadata }) => [metadata.name, metadata.resourceVersion]),
  );
}

async function leaderOf(c: DaemonCluster): Promise<string> {
  const argv = ["get", "lease", "lbd-controller", "-n", "lbd-system", "-o"];
  const holder = await c.controlPlane.kubectl([...argv, "jsonpath={.spec.holderIdentity}"]);
  return c.lab.nodes.find(({ name }) => holder.startsWith(`${name}_`))?.name ?? "";
}

describe("allocation", () => {
  const cluster = clusterForSuite({ nodes: 2, dualStack: true });

  test("Services with one key share an address while their ports differ", async () => {
    const c = cluster();
    await c.createService("tcp", TCP, KEY);
    await untilHas(c, "tcp", FIRST);
    await c.createService("udp", UDP, KEY);
    await c.createService("again", TCP, KEY);
    await untilHas(c, "udp", FIRST);
    await untilHas(c, "again", "192.168.100.51");
    const { stdout } = await c.daemon("node1").lbctl(["pools"]);
    assert.match(stdout, /lan .* 2 +8 /);
    await c.deleteService("again");
  });

  test("one that becomes Local gets another address, and comes to share again", async () => {
    const c = cluster();
    await patch(c, "udp", { spec: { externalTrafficPolicy: "Local" } });
    await untilHas(c, "udp", "192.168.100.51");
    const { note } = await c.untilEvent("udp", "ClearAssignment");
    assert.match(note, /can't change sharing key for "default\/udp", address also in use by .*tcp/);
    await untilHas(c, "tcp", FIRST);
    await patch(c, "udp", {
      metadata: { annotations: { "metallb.universe.tf/loadBalancerIPs": FIRST } },
      spec: { externalTrafficPolicy: "Cluster" },
    });
    await untilHas(c, "udp", FIRST);
    await c.untilEvent("udp", "deprecatedAnnotation");
  });

  test("a port that is given up is for who waits for it", async () => {
    const c = cluster();
    await c.createService("late", { ...TCP, loadBalancerIP: FIRST }, KEY);
    const { note } = await c.untilEvent("late", "AllocationFailed");
    assert.match(note, /port TCP\/53 is already in use on "192\.168\.100\.50"/);
    await patch(c, "tcp", { spec: { ports: [{ port: 53, $patch: "delete" }, { port: 54 }] } });
    await untilHas(c, "late", FIRST);
    await untilHas(c, "tcp", FIRST);
  });

  test("pools for a namespace are used first, by priority, until its label goes", async () => {
    const c = cluster();
    const red = (priority: number) => ({
      serviceAllocation: { priority, namespaceSelectors: [{ matchLabels: { team: "red" } }] },
    });
    await apply(c, "IPAddressPool", "late", { addresses: ["192.168.100.71/32"], ...red(20) });
    await apply(c, "IPAddressPool", "soon", { addresses: ["192.168.100.72/32"], ...red(10) });
    await c.controlPlane.kubectl(["label", "namespace", "default", "team=red"]);
    for (const name of ["r1", "r2", "r3"]) {
      await c.createService(name);
      await c.addressOf(name);
    }
    await untilHas(c, "r1", "192.168.100.72");
    await untilHas(c, "r2", "192.168.100.71");
    await untilHas(c, "r3", "192.168.100.51");
    // The namespaces that are selected are none now: who has an address of such a pool keeps it.
    await apply(c, "IPAddressPool", "soon", {
      addresses: ["192.168.100.72/32"],
      serviceAllocation: { priority: 10, namespaces: ["other"] },
    });
    await untilHas(c, "r1", "192.168.100.52");
    await untilHas(c, "r2", "192.168.100.71");
  });

  test("a pool that is asked for moves the Service there", async () => {
    const c = cluster();
    const gold = { addresses: ["192.168.100.80/32"], autoAssign: false };
    await apply(c, "IPAddressPool", "gold", gold);
    const annotations = { "metallb.universe.tf/address-pool": "gold" };
    await patch(c, "r3", { metadata: { annotations } });
    const found = await untilHas(c, "r3", "192.168.100.80");
    assert.equal(found.annotations["metallb.io/ip-allocated-from-pool" as never], "gold");
  });

  test("a second family comes when the pool has it, and goes on request", async () => {
    const c = cluster();
    await c.createService("dual", { ipFamilyPolicy: "PreferDualStack" });
    await untilHas(c, "dual", "192.168.100.51");
    await c.untilEvent("dual", "AdditionalAssignFailed");
    const spec = { addresses: ["192.168.100.50-192.168.100.59", "2001:db8:100::/126"] };
    await apply(c, "IPAddressPool", "lan", spec);
    await untilHas(c, "dual", "192.168.100.51", "2001:db8:100::");
    await c.createService("both", { ipFamilyPolicy: "RequireDualStack" });
    await untilHas(c, "both", "192.168.100.53", "2001:db8:100::1");
    await patch(c, "dual", { spec: { ipFamilyPolicy: "SingleStack" } });
    await untilHas(c, "dual", "192.168.100.51");
  });

  test("a leader that dies changes nothing; its successor gives nothing away twice", async () => {
    const c = cluster();
    const leader = await leaderOf(c);
    const before = await versions(c);
    await c.daemon(leader).kill("SIGKILL");
    await eventually("another leader", () => leaderOf(c), {
      timeoutMs: 40_000,
      until: (name) => name !== leader && name !== "",
    });
    await c.createService("fresh");
    assert.equal(await c.addressOf("fresh"), "192.168.100.54");
    const { fresh, ...after } = await versions(c);
    assert.notEqual(fresh, undefined);
    assert.deepEqual(after, before);
    await c.start(c.node(leader));
  });

  test("serviceSelectors: a Service is announced while its labels are those", async () => {
    const c = cluster();
    await c.untilAnswering("192.168.100.54");
    const edge = { serviceSelectors: [{ matchLabels: { expose: "yes" } }] };
    await apply(c, "L2Advertisement", "everything", edge);
    const silence = () =>
      eventually("silence", () => c.answering("192.168.100.54"), {
        timeoutMs: 15_000,
        until: (node) => node === null,
      });
    await silence();
    const { stdout } = await c.daemon("node1").lbctl(["explain", "default/fresh"]);
    assert.match(stdout, /no L2Advertisement of pool "lan" selects its Service/);
    await c.controlPlane.kubectl(["label", "service", "fresh", "expose=yes"]);
    await c.untilAnswering("192.168.100.54");
    await c.controlPlane.kubectl(["label", "service", "fresh", "expose-"]);
    await silence();
    await apply(c, "L2Advertisement", "everything", {});
    await c.untilAnswering("192.168.100.54");
  });

  test("preferredNodeSelectors: what is new is owned by the node that is preferred", async () => {
    const c = cluster();
    for (const [round, preferred] of ["node2", "node1", "node2", "node1"].entries()) {
      const other = preferred === "node1" ? "node2" : "node1";
      await c.controlPlane.kubectl(["label", "node", preferred, "lb=yes"]);
      await c.controlPlane.kubectl(["label", "node", other, "lb-"]);
      const preference = { matchLabels: { lb: "yes" } };
      const preferredNodeSelectors = [{ weight: 50, preference }];
      await apply(c, "L2Advertisement", "everything", { preferredNodeSelectors });
      const name = `liked${round}`;
      await c.createService(name, {}, {}, [endpointOn("node1"), endpointOn("node2")]);
      const address = await c.addressOf(name);
      assert.equal(await c.untilAnswering(address), preferred);
    }
  });
});

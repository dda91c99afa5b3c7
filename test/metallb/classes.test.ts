// loadBalancerClass: whose Services lbd looks after. One cluster has two lbd in it that know
// nothing of each other: on two nodes without the setting, on the third with a class, each with
// pools and records of its own. A third implementation is the test itself: it writes statuses.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { before, describe, test } from "node:test";
import { parseAllDocuments } from "yaml";
import { ADVERTISEMENT, clusterForSuite, POOL } from "../cluster/support/daemon-cluster.ts";
import { metallbWorks } from "../cluster/support/metallb-works.ts";
import { eventually } from "../lab/eventually.ts";
import { namespaceManifest } from "../lab/manifests.ts";
import { controllerObject, speakerObject } from "../support/metallb-objects.ts";

/** The roles, and the account of daemons that were installed by hand. */
const RIGHTS = ["rbac.yaml", "shared-account.yaml"].map((name) =>
  join(import.meta.dirname, "../../deploy", name),
);
const EDGE = "example.com/edge";
const OTHER = "example.com/other";
const POOL_ANNOTATION = "metallb.io/ip-allocated-from-pool";
const NAMESPACES = new Map([
  ["lbd-system", "edge-system"],
  ["metallb-system", "edge-pools"],
]);
/** The second lbd, on node3; another port, as one would give it: its key is another, too. */
const EDGE_CONFIG = {
  loadBalancerClass: EDGE,
  namespace: "edge-pools",
  systemNamespace: "edge-system",
  legacyConfigMap: "edge-pools/config",
  beacons: { port: 7_474 },
};
const EDGE_POOL = POOL.replace("lan", "edge")
  .replace("metallb-system", "edge-pools")
  .replace("192.168.100.50-192.168.100.59", "192.168.100.70-192.168.100.89");
/** In the middle of the first pool: a foreign implementation may well write such a thing. */
const FOREIGN_IP = "192.168.100.58";
const MANY = 6;
const TIMEOUT_MS = 40_000;

interface ServiceObject {
  readonly metadata: {
    readonly resourceVersion: string;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly status: { readonly loadBalancer: object };
}

/** What the first lbd may do, the second may do in its own namespaces. */
function edgeRights(): string {
  const documents = RIGHTS.flatMap((path) =>
    parseAllDocuments(readFileSync(path, "utf8")).map((one) => one.toJS()),
  );
  const roles = documents.filter(({ kind }) => ["Role", "RoleBinding"].includes(kind));
  const moved = roles.map((role) => {
    const namespace = NAMESPACES.get(role.metadata.namespace);
    return { ...role, metadata: { ...role.metadata, namespace } };
  });
  const namespaces = [...NAMESPACES.values()].map(namespaceManifest);
  return JSON.stringify({ apiVersion: "v1", kind: "List", items: [...namespaces, ...moved] });
}

describe("loadBalancerClass", () => {
  const cluster = clusterForSuite({
    nodes: 3,
    config: (node) => (node === "node3" ? EDGE_CONFIG : {}),
    prepare: async ({ controlPlane }) => {
      await controlPlane.apply(edgeRights());
      await controlPlane.apply(EDGE_POOL);
      await controlPlane.apply(ADVERTISEMENT.replace("metallb-system", "edge-pools"));
    },
  });
  const object = (name: string) => cluster().controlPlane.get<ServiceObject>("service", name);
  const version = async (name: string) => (await object(name)).metadata.resourceVersion;
  const patch = (name: string, change: object, more: readonly string[] = []) => {
    const how = ["--type=merge", "-p", JSON.stringify(change), ...more];
    return cluster().controlPlane.kubectl(["patch", "service", name, ...how]);
  };
  const writeStatus = (name: string, ingress: readonly object[]) =>
    patch(name, { status: { loadBalancer: { ingress } } }, ["--subresource=status"]);
  const create = (name: string, loadBalancerClass?: string, annotations = {}) =>
    cluster().createService(
      name,
      loadBalancerClass === undefined ? {} : { loadBalancerClass },
      annotations,
    );
  /** Addresses and the pool that they are said to be of. */
  const has = async (name: string): Promise<string> => {
    const { addresses, annotations } = await cluster().service(name);
    return [...addresses, annotations[POOL_ANNOTATION as never] ?? "no pool"].join(" ");
  };
  const untilHas = (name: string, expected: string) =>
    eventually(`${name} to have ${expected}`, () => has(name), {
      timeoutMs: TIMEOUT_MS,
      until: (found) => found === expected,
    });
  /** A daemon that was killed holds the leader's Lease for a while. */
  const untilAddress = (name: string): Promise<string> =>
    eventually(`an address of ${name}`, async () => (await cluster().service(name)).addresses[0], {
      timeoutMs: TIMEOUT_MS,
      until: (address) => address !== undefined,
    }).then((address) => address ?? "");
  /** Both lbd have done what was to do when this was called: each has served a new Service. */
  let markers = 0;
  const untilBothHaveWorked = async () => {
    markers += 1;
    const names = [`plain-marker${markers}`, `edge-marker${markers}`] as const;
    await create(names[0]);
    await create(names[1], EDGE);
    for (const name of names) {
      await untilAddress(name);
      await cluster().deleteService(name);
    }
  };

  before(async () => {
    for (const node of ["node1", "node3"]) {
      await cluster().untilStatus(cluster().daemon(node), /health +ok/);
    }
  });

  test("without the setting those without a class are served, and no others", async () => {
    const c = cluster();
    await create("plain");
    await untilHas("plain", "192.168.100.50 lan");
    const node = await c.untilAnswering("192.168.100.50");
    assert.ok(["node1", "node2"].includes(node), node);
  });

  test("with the setting those of exactly this class are served, and no others", async () => {
    const c = cluster();
    const near = [`${EDGE}-2`, "example.com/Edge", "edge", "example.org/edge"];
    for (const [index, name] of near.entries()) await create(`near${index}`, name);
    const before = await Promise.all(near.map((_, index) => version(`near${index}`)));
    await create("edge", EDGE);
    await untilHas("edge", "192.168.100.70 edge");
    assert.equal(await c.untilAnswering("192.168.100.70"), "node3");
    await untilBothHaveWorked();
    const after = await Promise.all(near.map((_, index) => version(`near${index}`)));
    assert.deepEqual(after, before, "nobody has written to those that are nearly of the class");
    for (const [index] of near.entries()) {
      assert.deepEqual(await c.events(`near${index}`), [], "nor is anything told of them");
    }
  });

  test("each explains that the other's Service is not its own", async () => {
    const c = cluster();
    const explain = async (node: string, name: string) =>
      (await c.daemon(node).lbctl(["explain", `default/${name}`])).stdout;
    assert.match(
      await explain("node1", "edge"),
      /loadBalancerClass "example\.com\/edge": not lbd's/,
    );
    assert.match(await explain("node3", "plain"), /no loadBalancerClass: not lbd's/);
  });

  test("a foreign class keeps what its implementation wrote, whatever happens", async () => {
    const c = cluster();
    const { controlPlane } = c;
    await create("foreign", OTHER, { "metallb.io/address-pool": "lan" });
    const ingress = [{ ip: FOREIGN_IP, ipMode: "Proxy" }, { hostname: "lb.example.com" }];
    await writeStatus("foreign", ingress);
    const asked = { "metallb.io/loadBalancerIPs": "192.168.100.59", [POOL_ANNOTATION]: "theirs" };
    await patch("foreign", { metadata: { annotations: asked }, spec: { ports: [{ port: 81 }] } });
    const { status, metadata } = await object("foreign");
    assert.deepEqual(status.loadBalancer, { ingress });

    await untilBothHaveWorked();
    // Their own Services lose what they have; a new leader has to take everything over.
    await controlPlane.apply(POOL.replace("50-192.168.100.59", "60-192.168.100.69"));
    await untilHas("plain", "192.168.100.60 lan");
    await controlPlane.kubectl(["delete", "ipaddresspool", "lan", "-n", "metallb-system"]);
    await untilHas("plain", "no pool");
    await controlPlane.apply(POOL);
    await untilHas("plain", "192.168.100.50 lan");
    for (const node of ["node1", "node2", "node3"]) await c.daemon(node).kill();
    for (const node of ["node1", "node2"]) await c.start(c.node(node));
    await c.start(c.node("node3"), { config: EDGE_CONFIG });
    await untilBothHaveWorked();

    assert.equal(await version("foreign"), metadata.resourceVersion, "it is as it was written");
    assert.equal(await c.answering(FOREIGN_IP), null, "nor is it answered for");
    assert.deepEqual(await c.events("foreign"), []);
    const leases = await controlPlane.kubectl(["get", "leases", "-A", "-o", "name"]);
    assert.doesNotMatch(leases, new RegExp(FOREIGN_IP));
  });

  test("a Service that comes back with another class is the other's", async () => {
    const c = cluster();
    const become = async (loadBalancerClass: string | null) => {
      // A class may be set only together with the type.
      await patch("plain", { spec: { type: "ClusterIP", loadBalancerClass: null } });
      await untilHas("plain", "no pool");
      await patch("plain", { spec: { type: "LoadBalancer", loadBalancerClass } });
    };
    await become(EDGE);
    await untilHas("plain", "192.168.100.71 edge");
    const byEdge = { accepts: (node: string) => node === "node3" };
    await c.untilAnswering("192.168.100.71", byEdge);
    await eventually("silence for what it had", () => c.answering("192.168.100.50"), {
      timeoutMs: TIMEOUT_MS,
      until: (node) => node === null,
    });
    await become(null);
    await untilHas("plain", "192.168.100.50 lan");
    await c.untilAnswering("192.168.100.50", { accepts: (node) => node !== "node3" });
  });

  test("two side by side give each of theirs an address, and write to no other", async () => {
    const c = cluster();
    const names = Array.from({ length: MANY }, (_, i) => [`left${i}`, `right${i}`] as const);
    const plans = names.flatMap(([left, right]) => [
      { name: left },
      { name: right, spec: { loadBalancerClass: EDGE } },
    ]);
    await c.createServices(plans);
    const seen = new Set<string>();
    for (const [left, right] of names) {
      seen.add(await untilAddress(left)).add(await untilAddress(right));
      assert.match(await has(left), /^192\.168\.100\.5\d lan$/);
      assert.match(await has(right), /^192\.168\.100\.[78]\d edge$/);
    }
    assert.equal(seen.size, 2 * MANY, "each has its own");
    const holders = await c.controlPlane.kubectl([
      ...["get", "leases", "-A", "--field-selector=metadata.name=lbd-controller"],
      ...["-o", "jsonpath={range .items[*]}{.metadata.namespace} {.spec.holderIdentity}{'\\n'}"],
    ]);
    assert.match(holders, /^edge-system node3_/m);
    assert.match(holders, /^lbd-system node[12]_/m);
    const before = await Promise.all(plans.map(({ name }) => version(name)));
    await c.daemon("node3").kill();
    await c.start(c.node("node3"), { config: EDGE_CONFIG });
    await untilBothHaveWorked();
    const after = await Promise.all(plans.map(({ name }) => version(name)));
    assert.deepEqual(after, before, "one that starts anew writes to nobody");
  });

  test("who is given another class leaves what it had as it is", async () => {
    const c = cluster();
    const [had, before] = [await has("edge"), await version("edge")];
    await c.daemon("node3").kill("SIGTERM");
    // One that is free for it may be what those of the former class have: they are not its own.
    const asked = { loadBalancerClass: "example.com/late", loadBalancerIP: "192.168.100.89" };
    await c.createService("late", asked);
    const config = { ...EDGE_CONFIG, loadBalancerClass: "example.com/late" };
    await c.start(c.node("node3"), { config });
    const address = await untilAddress("late");
    await c.untilAnswering(address, { accepts: (node) => node === "node3" });
    assert.deepEqual([await has("edge"), await version("edge")], [had, before]);
    assert.equal(await c.answering("192.168.100.70"), null, "nobody looks after it now");
  });

  test("MetalLB with a class of its own is no rival; without one it is", async () => {
    const c = cluster();
    const run = async (...given: readonly string[]) => {
      await metallbWorks(c, controllerObject({ arguments: given }));
      await metallbWorks(c, speakerObject({ arguments: given }));
    };
    await run("--lb-class=");
    await c.untilStatus(c.daemon("node1"), /MetalLB's controller is at work/, TIMEOUT_MS);
    await c.untilStatus(c.daemon("node1"), /MetalLB's speaker runs on this node/, TIMEOUT_MS);
    await create("left-to-it");
    const { stdout } = await c.daemon("node3").lbctl(["status"]);
    assert.doesNotMatch(stdout, /MetalLB/, "it is not in the way of the class");
    await run("--lb-class=example.com/metal");
    const address = await untilAddress("left-to-it");
    assert.match(await c.untilAnswering(address, { timeoutMs: TIMEOUT_MS }), /^node[12]$/);
  });
});

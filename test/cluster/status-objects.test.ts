// What daemons say of themselves in the cluster, against the real API server: ConfigurationStates,
// ServiceL2Statuses, the status of pools, and Events about a configuration that is not valid.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { ControlPlane } from "../lab/control-plane.ts";
import { eventually } from "../lab/eventually.ts";
import { labForSuite } from "../lab/for-test.ts";
import { ADVERTISEMENT, DaemonCluster, POOL } from "./support/daemon-cluster.ts";

const DEFINITIONS = join(import.meta.dirname, "../../deploy/crds.yaml");
const NAMESPACE = "metallb-system";
const ADDRESS = "192.168.100.50";
const STATES = "configurationstates.metallb.io";
const L2 = "servicel2statuses.metallb.io";
const BGP = "servicebgpstatuses.metallb.io";
/** A resource that is not there is asked for once a minute. */
const ASKED_AGAIN_MS = 90_000;
const SOON_MS = 20_000;

interface StatusObject {
  readonly metadata: {
    readonly name: string;
    readonly uid: string;
    readonly resourceVersion: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly ownerReferences?: readonly { kind: string; name: string; uid: string }[];
  };
  readonly status?: {
    readonly result?: string;
    readonly errorSummary?: string;
    readonly conditions?: readonly Readonly<Record<string, string>>[];
    readonly node?: string;
    readonly serviceName?: string;
    readonly serviceNamespace?: string;
    readonly interfaces?: readonly { name: string }[];
  };
}

interface KubernetesEvent {
  readonly type: string;
  readonly reason: string;
  readonly note: string;
  readonly regarding: { readonly kind: string; readonly name: string };
}

/** Two nodes without a gateway: the other one waits for the Lease of the node that died. */
const FAILOVER_MS = 60_000;

/** An L2Advertisement for that interface, which is on the data segment, or for all of them. */
function advertisement(...interfaces: readonly string[]): string {
  return `${ADVERTISEMENT}spec: {interfaces: ${JSON.stringify(interfaces)}}\n`;
}

describe("status objects", () => {
  let c: DaemonCluster;
  let owner = "";

  labForSuite({ nodes: 2 }, async (lab) => {
    const controlPlane = await ControlPlane.start(lab);
    await controlPlane.registerNodes();
    const kubeconfig = await controlPlane.installLbd({ definitions: false });
    c = new DaemonCluster(lab, controlPlane, kubeconfig);
    const all = readFileSync(DEFINITIONS, "utf8").split("\n---\n");
    const others = all.filter((text) => ![STATES, L2, BGP].some((kind) => text.includes(kind)));
    await controlPlane.apply(others.join("\n---\n"));
    const established = ["wait", "--for=condition=Established", "crd", "--all", "--timeout=30s"];
    await controlPlane.kubectl(established);
    await controlPlane.apply(POOL);
    await controlPlane.apply(ADVERTISEMENT);
    await Promise.all(lab.nodes.map((node) => c.start(node)));
  });

  const list = async (resource: string): Promise<readonly StatusObject[]> => {
    const { items } = await c.controlPlane.get<{ items: StatusObject[] }>(
      ...[resource, "-n", NAMESPACE],
    );
    return items;
  };
  const untilList = (
    resource: string,
    until: (items: readonly StatusObject[]) => boolean,
    timeoutMs = SOON_MS,
  ): Promise<readonly StatusObject[]> =>
    eventually(`${resource} as wanted`, () => list(resource), {
      ...{ timeoutMs, intervalMs: 300, until },
    });
  const results = (items: readonly StatusObject[]): string =>
    items.map(({ metadata, status }) => `${metadata.name} ${status?.result}`).join(", ");
  const untilResults = (expected: string, timeoutMs = SOON_MS) =>
    untilList(STATES, (items) => results(items) === expected, timeoutMs);
  const announced = (items: readonly StatusObject[]): string =>
    items.map(({ status }) => `${status?.serviceName} by ${status?.node}`).join(", ");
  const untilAnnounced = (expected: string, timeoutMs = SOON_MS) =>
    untilList(L2, (items) => announced(items) === expected, timeoutMs);
  const untilPool = (assignedIPv4: number, availableIPv4: number) => {
    const read = () =>
      c.controlPlane.get<{ status?: object }>("ipaddresspool", "lan", "-n", NAMESPACE);
    const expected = { assignedIPv4, assignedIPv6: 0, availableIPv4, availableIPv6: 0 };
    const isSo = ({ status }: { status?: object }): boolean => {
      const entries = Object.entries(expected);
      const has = (status ?? {}) as Record<string, number>;
      return entries.every(([key, value]) => has[key] === value);
    };
    return eventually("the status of the pool", read, { timeoutMs: SOON_MS, until: isSo });
  };
  const patch = (what: readonly string[], change: object) =>
    c.controlPlane.kubectl([
      ...["patch", ...what, "-n", NAMESPACE, "--type=merge", "-p", JSON.stringify(change)],
    ]);
  const eventsOn = async (name: string): Promise<readonly KubernetesEvent[]> => {
    const { items } = await c.controlPlane.get<{ items: KubernetesEvent[] }>(
      ...["events.events.k8s.io", "-n", NAMESPACE],
    );
    return items.filter(({ regarding }) => regarding.name === name);
  };
  const ALL_VALID = "controller Valid, speaker-node1 Valid, speaker-node2 Valid";

  test("whose definitions are missing are told once in the log, and all else works", async () => {
    await c.createService("web");
    assert.equal(await c.addressOf("web"), ADDRESS);
    owner = await c.untilAnswering(ADDRESS);
    await untilPool(1, 9);
    const log = c.daemon(owner).process.log();
    // An API server that has just begun may ask to wait before it says so.
    const told = [
      ...log.matchAll(/"event":"status-objects","resource":"(\w+)","kind":"not-found"/g),
    ];
    const names = told.map(([, resource]) => `${resource}.metallb.io`);
    assert.deepEqual(names.sort(), [STATES, BGP, L2]);
    await c.untilStatus(c.daemon(owner), /health +ok/);
  });

  test("once they are installed, each daemon and the leader say that all is valid", async () => {
    await c.controlPlane.installLbd();
    const items = await untilResults(ALL_VALID, ASKED_AGAIN_MS);
    const nodes = await c.controlPlane.get<{ items: StatusObject[] }>("nodes");
    const [controller, speaker] = items;
    assert.deepEqual(speaker?.metadata.labels, {
      "metallb.io/component-type": "speaker",
      "metallb.io/node-name": "node1",
    });
    assert.deepEqual(controller?.metadata.labels, { "metallb.io/component-type": "controller" });
    const [reference] = speaker?.metadata.ownerReferences ?? [];
    const uid = nodes.items.find(({ metadata }) => metadata.name === "node1")?.metadata.uid;
    assert.deepEqual(reference, { apiVersion: "v1", kind: "Node", name: "node1", uid });
    const { type, status, reason } = speaker?.status?.conditions?.[0] ?? {};
    assert.deepEqual([type, status, reason], ["configReconcilerValid", "True", "Reconciled"]);
    assert.equal(controller?.status?.conditions?.[0]?.type, "poolReconcilerValid");
    const table = await c.controlPlane.kubectl(["get", STATES, "-n", NAMESPACE]);
    assert.match(table, /^NAME +RESULT +AGE\ncontroller +Valid/);
  });

  test("one for the Service says who answers for it, in the columns that users know", async () => {
    const [object] = await untilAnnounced(`web by ${owner}`, ASKED_AGAIN_MS);
    assert.match(object?.metadata.name ?? "", /^l2-[0-9a-f]+$/);
    assert.deepEqual(object?.metadata.labels, {
      "app.kubernetes.io/managed-by": "lbd",
      "metallb.io/node": owner,
      "metallb.io/service-name": "web",
      "metallb.io/service-namespace": "default",
    });
    assert.equal(object?.metadata.ownerReferences?.[0]?.name, owner);
    assert.deepEqual(object?.status?.interfaces, []);
    const table = await c.controlPlane.kubectl(["get", L2, "-n", NAMESPACE]);
    assert.match(table, /^NAME +ALLOCATED NODE +SERVICE NAME +SERVICE NAMESPACE\n/);
  });

  test("are not written to while nothing changes", async () => {
    const versions = async (): Promise<string[]> => {
      const pools = await list("ipaddresspools.metallb.io");
      const all = [...(await list(STATES)), ...(await list(L2)), ...pools];
      return all.map(({ metadata }) => `${metadata.name} ${metadata.resourceVersion}`);
    };
    const before = await versions();
    await sleep(12_000);
    assert.deepEqual(await versions(), before);
  });

  test("that are edited by hand are put right", async () => {
    await patch([STATES, "controller", "--subresource=status"], {
      status: { result: "Invalid", errorSummary: "somebody was here" },
    });
    await untilResults(ALL_VALID);
    const label = { "metallb.io/component-type": null };
    await patch([STATES, "speaker-node2"], { metadata: { labels: label, ownerReferences: null } });
    const isWhole = ({ metadata }: StatusObject): boolean =>
      metadata.labels?.["metallb.io/component-type"] !== undefined &&
      metadata.ownerReferences?.length === 1;
    await untilList(STATES, (items) => items.length === 3 && items.every(isWhole));
    const [object] = await list(L2);
    const name = object?.metadata.name ?? "";
    await patch([L2, name, "--subresource=status"], { status: { interfaces: [{ name: "x0" }] } });
    await untilList(L2, ([one]) => one?.status?.interfaces?.length === 0);
    await patch([L2, name], { metadata: { labels: { "metallb.io/node": "elsewhere" } } });
    await untilList(L2, ([one]) => one?.metadata.labels?.["metallb.io/node"] === owner);
    const wrong = { status: { assignedIPv4: 7, availableIPv4: 0 } };
    await patch(["ipaddresspool", "lan", "--subresource=status"], wrong);
    await untilPool(1, 9);
  });

  test("say who answers in fields that the API server lets nobody change", async () => {
    const [object] = await list(L2);
    const what = [L2, object?.metadata.name ?? "", "-n", NAMESPACE, "--subresource=status"];
    const change = JSON.stringify({ status: { node: "elsewhere" } });
    const argv = ["patch", ...what, "--type=merge", "-p", change];
    const { stderr } = await c.controlPlane.tryKubectl(argv);
    assert.match(stderr, /cannot be changed/);
  });

  test("that are deleted are made anew", async () => {
    const uids = async () =>
      [...(await list(STATES)), ...(await list(L2))].map(({ metadata }) => metadata.uid);
    const before = await uids();
    await c.controlPlane.kubectl(["delete", `${STATES},${L2}`, "--all", "-n", NAMESPACE]);
    await untilResults(ALL_VALID);
    await untilAnnounced(`web by ${owner}`);
    const after = await uids();
    assert.equal(after.length, 4);
    assert.deepEqual(
      after.filter((uid) => before.includes(uid)),
      [],
    );
  });

  test("name every problem of a configuration that is not valid, until it is", async () => {
    const pool = (name: string, range: string) =>
      POOL.replace("name: lan", `name: ${name}`).replace(/"192.*"/, `"${range}"`);
    await c.controlPlane.apply(pool("bad1", "192.168.100.55-192.168.100.60"));
    await c.controlPlane.apply(pool("bad2", "192.168.101.9-192.168.101.1"));
    const all = "controller Invalid, speaker-node1 Invalid, speaker-node2 Invalid";
    const isTold = ({ status }: StatusObject): boolean =>
      /bad1/.test(status?.errorSummary ?? "") && /bad2/.test(status?.errorSummary ?? "");
    const items = await untilList(STATES, (found) => results(found) === all && found.every(isTold));
    const [condition] = items[0]?.status?.conditions ?? [];
    assert.deepEqual([condition?.status, condition?.reason], ["False", "ConfigurationError"]);
    const told = await eventually("an Event on the pool", () => eventsOn("bad2"), {
      ...{ timeoutMs: SOON_MS, until: (events) => events.length > 0 },
    });
    const { type, reason, regarding, note = "" } = told[0] ?? {};
    assert.deepEqual([type, reason], ["Warning", "ConfigurationError"]);
    assert.equal(regarding?.kind, "IPAddressPool");
    assert.match(note, /192\.168\.101\.9-192\.168\.101\.1/);
    const status = await c.untilStatus(c.daemon(owner), /bad2/);
    assert.match(status, /bad1/);
    await c.controlPlane.kubectl(["delete", "ipaddresspool", "bad1", "bad2", "-n", NAMESPACE]);
    await untilResults(ALL_VALID);
    assert.equal((await eventsOn("bad2")).length, 1, "told by one daemon, once");
  });

  test("name the interfaces that an advertisement names", async () => {
    await c.controlPlane.apply(advertisement("eth0"));
    const names = ({ status }: StatusObject) => status?.interfaces?.map(({ name }) => name).join();
    await untilList(L2, (items) => items.map(names).join(" ") === "eth0");
    await c.controlPlane.apply(ADVERTISEMENT);
    await c.controlPlane.kubectl([
      ...["patch", "l2advertisement", "everything", "-n", NAMESPACE, "--type=merge"],
      ...["-p", JSON.stringify({ spec: null })],
    ]);
    await untilList(L2, (items) => items.map(names).join(" ") === "");
  });

  test("of a Service follow its address to another node, and go with it", async () => {
    const { code, stderr } = await c.daemon(owner).lbctl(["drain"]);
    assert.equal(code, 0, stderr);
    const before = owner;
    owner = await c.untilAnswering(ADDRESS, { accepts: (node) => node !== before });
    await untilAnnounced(`web by ${owner}`);
    await c.daemon(before).lbctl(["undrain"]);
    await c.createService("brief");
    await untilPool(2, 8);
    await untilList(L2, (items) => items.length === 2);
    await c.deleteService("brief");
    await untilAnnounced(`web by ${owner}`);
    await untilPool(1, 9);
  });

  test("whose definition goes meanwhile are missed by nobody, and are back with it", async () => {
    await c.controlPlane.kubectl(["delete", "crd", L2, "--wait=false"]);
    await c.createService("later");
    const later = await c.untilAnswering(await c.addressOf("later"));
    assert.equal(await c.untilAnswering(ADDRESS), owner);
    const get = () => c.controlPlane.tryKubectl(["get", "crd", L2]);
    await eventually("the definition to be gone", get, {
      ...{ timeoutMs: 60_000, intervalMs: 500, until: ({ stderr }) => /NotFound/.test(stderr) },
    });
    await c.controlPlane.installLbd();
    const both = [`web by ${owner}`, `later by ${later}`].sort();
    const isBack = (items: readonly StatusObject[]): boolean =>
      announced(items).split(", ").sort().join() === both.join();
    await untilList(L2, isBack, ASKED_AGAIN_MS);
    await c.deleteService("later");
    await untilAnnounced(`web by ${owner}`);
  });

  test("of a node that is gone are deleted by the leader", async () => {
    const gone = owner;
    await c.daemon(gone).kill();
    owner = await c.untilAnswering(ADDRESS, {
      ...{ accepts: (node) => node !== gone, timeoutMs: FAILOVER_MS },
    });
    await c.controlPlane.kubectl(["delete", "node", gone]);
    await untilResults(`controller Valid, speaker-${owner} Valid`, 60_000);
    await untilAnnounced(`web by ${owner}`, 60_000);
    const [controller] = await list(STATES);
    assert.equal(controller?.metadata.ownerReferences?.[0]?.name, owner);
  });
});

// What is done to Services that nobody should do: edits without end, a status that is written by
// hand, garbage in annotations; and a leader that stands still while another one leads.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { wallMs } from "../../src/core/time.ts";
import { ApiClient } from "../../src/k8s-sync/client.ts";
import { loadKubeconfig } from "../../src/k8s-sync/kubeconfig.ts";
import { eventually } from "../lab/eventually.ts";
import { clusterForSuite, type DaemonCluster, POOL } from "./support/daemon-cluster.ts";

const SERVICES = "/api/v1/namespaces/default/services";
const EDITS = 250;
const EDIT_EVERY_MS = 20;
const TIMEOUT_MS = 60_000;
const INTERVAL_MS = 200;
const MANY = 20;

interface SeenService {
  readonly metadata: { readonly name: string; readonly resourceVersion: string };
  readonly status?: { readonly loadBalancer?: { readonly ingress?: readonly { ip?: string }[] } };
}

describe("Services that are treated badly", () => {
  const cluster = clusterForSuite({ nodes: 2 });
  let api: ApiClient;

  before(async () => {
    const { controlPlane } = cluster();
    await controlPlane.apply(POOL.replace("192.168.100.59", "192.168.100.119"));
    const server = await controlPlane.openOnLoopback();
    const file = await controlPlane.kubeconfig(undefined, { server });
    api = new ApiClient(loadKubeconfig(file, { now: wallMs(Date.now()), allowInsecure: false }));
    await cluster().createService("bystander");
    assert.equal(await cluster().addressOf("bystander"), "192.168.100.50");
  });

  after(() => api.close());

  const patched = async (name: string, body: object, subresource = ""): Promise<boolean> => {
    const contentType = "application/merge-patch+json";
    const path = `${SERVICES}/${name}${subresource}`;
    const request = { path, body, contentType, timeoutMs: TIMEOUT_MS };
    return (await api.request({ method: "PATCH", ...request })).ok;
  };
  const patch = async (name: string, body: object, subresource = ""): Promise<void> => {
    assert.ok(await patched(name, body, subresource));
  };

  /** Until it says what lbd says. */
  const write = async (name: string, ingress: readonly object[]): Promise<void> => {
    await patch(name, { status: { loadBalancer: { ingress } } }, "/status");
    await untilHas(cluster(), name, "192.168.100.58");
  };

  test("fifty edits a second end with what the last asks for, and touch no other", async () => {
    const c = cluster();
    await c.createService("busy");
    await c.addressOf("busy");
    const before = await versionOf(c, "bystander");
    const edits: Promise<boolean>[] = [];
    for (let i = 0; i < EDITS; i++) {
      edits.push(patched("busy", editOf(i)));
      await sleep(EDIT_EVERY_MS);
    }
    // The API server gives up an edit that loses against others again and again.
    const isDone = await Promise.all(edits);
    assert.ok(isDone.filter(Boolean).length > EDITS / 5, "they are made");
    await patch("busy", { ...editOf(0), spec: { loadBalancerIP: "192.168.100.57" } });
    await untilHas(c, "busy", "192.168.100.57");
    await c.untilAnswering("192.168.100.57");
    assert.equal(await versionOf(c, "bystander"), before);
    for (const daemon of c.daemons.values()) assert.ok(daemon.process.isRunning);
    await c.untilStatus(c.daemon("node1"), /health +ok/);
  });

  test("a status that is written by hand is put right, and no other address goes", async () => {
    const c = cluster();
    await c.createService("edited", { loadBalancerIP: "192.168.100.58" });
    await untilHas(c, "edited", "192.168.100.58");
    const before = await versionOf(c, "bystander");
    const wrong = [[], ["192.168.100.50"], ["10.9.9.9"], ["192.168.100.58", "192.168.100.59"]];
    for (const ips of wrong)
      await write(
        "edited",
        ips.map((ip) => ({ ip })),
      );
    await write("edited", [{ hostname: "lb.example" }]);
    assert.equal(await versionOf(c, "bystander"), before);
  });

  test("annotations with garbage are told, and the Service keeps what it has", async () => {
    const c = cluster();
    const garbage = { "metallb.io/loadBalancerIPs": "\u0000; DROP TABLE vips; {{ .Values }} 🦄" };
    await c.createService("tidy");
    const address = await c.addressOf("tidy");
    await patch("tidy", { metadata: { annotations: garbage } });
    const { note } = await c.untilEvent("tidy", "LoadBalancerFailed");
    assert.match(note, /DROP TABLE vips/);
    assert.deepEqual((await c.service("tidy")).addresses, [address]);
  });

  test("a leader that stands still beside its successor gives nothing twice", async () => {
    const c = cluster();
    const watching = new AbortController();
    const twice = watchForTwice(api, watching.signal);
    const first = await leaderOf(c);
    const made = c.createServices(names("early").map((name) => ({ name })));
    // Somewhere in the middle of its work.
    await c.addressOf("early-0");
    await c.daemon(first).freeze();
    await made;
    await eventually("another leader", () => leaderOf(c), {
      timeoutMs: TIMEOUT_MS,
      intervalMs: INTERVAL_MS,
      until: (node) => node !== first && node !== "",
    });
    await untilAllHave(api, names("early"));
    const late = c.createServices(names("late").map((name) => ({ name })));
    c.daemon(first).thaw();
    await late;
    await untilAllHave(api, names("late"));
    watching.abort();
    assert.deepEqual(await twice, []);
  });
});

/** Each asks for something else; some of it cannot be had. */
function editOf(i: number): object {
  const wanted = ["192.168.100.55", "192.168.100.50", "10.1.1.1", null];
  return {
    metadata: {
      annotations: {
        "metallb.io/allow-shared-ip": i % 3 === 0 ? "busy" : null,
        "metallb.io/address-pool": i % 7 === 6 ? "no-such-pool" : null,
      },
    },
    spec: {
      loadBalancerIP: wanted[i % wanted.length],
      ports: [{ port: 80 + (i % 5) }],
      externalTrafficPolicy: i % 2 === 0 ? "Cluster" : "Local",
    },
  };
}

function names(prefix: string): string[] {
  return Array.from({ length: MANY }, (_, i) => `${prefix}-${i}`);
}

async function untilHas(c: DaemonCluster, name: string, address: string): Promise<void> {
  await eventually(`${name} to have ${address}`, () => c.service(name), {
    timeoutMs: TIMEOUT_MS,
    intervalMs: INTERVAL_MS,
    until: ({ addresses }) => addresses.join() === address,
  });
}

async function untilAllHave(api: ApiClient, all: readonly string[]): Promise<void> {
  const lacking = async (): Promise<string[]> => {
    const outcome = await api.request<{ items: SeenService[] }>({ method: "GET", path: SERVICES });
    if (!outcome.ok) throw new Error(outcome.failure.message);
    const having = outcome.value.items.filter(hasAddress).map(({ metadata }) => metadata.name);
    return all.filter((name) => !having.includes(name));
  };
  await eventually("all to have an address", lacking, {
    timeoutMs: TIMEOUT_MS,
    intervalMs: INTERVAL_MS,
    until: (names) => names.length === 0,
  });
}

function hasAddress({ status }: SeenService): boolean {
  return (status?.loadBalancer?.ingress ?? []).length === 1;
}

/** It changes with every write. */
async function versionOf(c: DaemonCluster, name: string): Promise<string> {
  return (await c.controlPlane.get<SeenService>("service", name)).metadata.resourceVersion;
}

async function leaderOf(c: DaemonCluster): Promise<string> {
  const argv = ["get", "lease", "lbd-controller", "-n", "lbd-system", "-o"];
  const holder = await c.controlPlane.kubectl([...argv, "jsonpath={.spec.holderIdentity}"]);
  return c.lab.nodes.find(({ name }) => holder.startsWith(`${name}_`))?.name ?? "";
}

/** Every state that the Services are in, one write after the other: who has another's address. */
async function watchForTwice(api: ApiClient, signal: AbortSignal): Promise<string[]> {
  const has = new Map<string, string>();
  const twice: string[] = [];
  const request = { path: SERVICES, query: {}, idleTimeoutMs: TIMEOUT_MS };
  for await (const message of api.watch(request, signal)) {
    if (signal.aborted) break;
    if (message.type === "FAILED") throw new Error(message.failure.message);
    if (!["ADDED", "MODIFIED"].includes(message.type)) continue;
    const { metadata, status } = (message as { object: SeenService }).object;
    has.delete(metadata.name);
    for (const { ip = "" } of status?.loadBalancer?.ingress ?? []) {
      const other = [...has].find(([, address]) => address === ip);
      if (other !== undefined) twice.push(`${ip}: ${other[0]} and ${metadata.name}`);
      has.set(metadata.name, ip);
    }
  }
  return twice;
}

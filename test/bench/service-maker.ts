// Runs beside the API server: creates Services, and measures what the API itself takes, with a
// watch of its own. It does not know lbd.

import { setTimeout as sleep } from "node:timers/promises";
import { bootTimeMs } from "../../native/index.ts";
import { ApiClient } from "../../src/k8s-sync/client.ts";
import { loadKubeconfig } from "../../src/k8s-sync/kubeconfig.ts";
import { serve } from "../lab/lab-program.ts";
import { endpointSliceManifest } from "../lab/manifests.ts";

export type MakerQuestion =
  /** Services with addresses, at once; answered when each has its address in its status. */
  | { readonly kind: "fill"; readonly count: number }
  /** One Service that asks for an address. */
  | { readonly kind: "create"; readonly name: string; readonly address: string };

export interface Created {
  /** Boot clock at the call. */
  readonly calledAt: number;
  /** From the call until it was answered. */
  readonly createMs: number;
  /** From the call until the watch delivered it. */
  readonly createToWatchMs: number;
  /** From the call that changes a status until the watch delivered it, of another Service. */
  readonly patchToWatchMs: number;
}

const PATH = "/api/v1/namespaces/default/services";
const SLICES = "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices";
const CONTROL = "bench-control";
const FILL_TIMEOUT_MS = 60_000;
const PARALLEL = 10;

const [kubeconfig = ""] = process.argv.slice(2);
const settings = loadKubeconfig(kubeconfig, { now: Date.now() as never, allowInsecure: false });
const client = new ApiClient(settings);

interface SeenService {
  readonly metadata: { readonly name: string; readonly resourceVersion: string };
  readonly status?: { readonly loadBalancer?: { readonly ingress?: readonly object[] } };
}

const assigned = new Set<string>();
let onSeen: (service: SeenService) => void = () => {};

async function watch(): Promise<void> {
  const query = { allowWatchBookmarks: false };
  const forever = new AbortController().signal;
  const messages = client.watch({ path: PATH, query, idleTimeoutMs: 3_600_000 }, forever);
  for await (const message of messages) {
    if (message.type === "FAILED") throw new Error(message.failure.message);
    if (message.type !== "ADDED" && message.type !== "MODIFIED") continue;
    const service = message.object as SeenService;
    if ((service.status?.loadBalancer?.ingress?.length ?? 0) > 0) {
      assigned.add(service.metadata.name);
    }
    onSeen(service);
  }
}

/** When the watch delivers what `matches`, on the boot clock. */
function delivered(matches: (service: SeenService) => boolean): Promise<number> {
  return new Promise((resolve) => {
    onSeen = (service) => {
      if (matches(service)) resolve(bootTimeMs());
    };
  });
}

async function must(method: "POST" | "PATCH", path: string, body: object): Promise<SeenService> {
  const contentType = method === "PATCH" ? "application/merge-patch+json" : "application/json";
  const outcome = await client.request<SeenService>({ method, path, body, contentType });
  if (!outcome.ok) throw new Error(outcome.failure.message);
  return outcome.value;
}

function serviceManifest(name: string, spec: object): object {
  const ports = [{ port: 80, targetPort: 8080 }];
  return { apiVersion: "v1", kind: "Service", metadata: { name }, spec: { ports, ...spec } };
}

function sliceManifest(service: string): object {
  const state = { ready: true, serving: true, terminating: false };
  const endpoints = [{ name: "pod", nodeName: "node1", address: "10.244.255.1", ...state }];
  const about = {
    service,
    namespace: "default",
    family: "IPv4",
    portName: "",
    port: 8080,
  } as const;
  return endpointSliceManifest({ ...about, endpoints });
}

async function fill(count: number): Promise<number> {
  const names = Array.from({ length: count }, (_, i) => `bench-fill-${i}`);
  const queue = [...names];
  const work = async (): Promise<void> => {
    for (let name = queue.shift(); name !== undefined; name = queue.shift()) {
      await must("POST", SLICES, sliceManifest(name));
      await must("POST", PATH, serviceManifest(name, { type: "LoadBalancer" }));
    }
  };
  await Promise.all(Array.from({ length: PARALLEL }, work));
  const deadline = bootTimeMs() + FILL_TIMEOUT_MS;
  while (!names.every((name) => assigned.has(name))) {
    if (bootTimeMs() > deadline) throw new Error("Not every Service got an address");
    await sleep(50);
  }
  return count;
}

let isControlMade = false;
let patches = 0;

/** A status that changes, as an allocation changes it: patch, storage, watch. */
async function measurePatch(): Promise<number> {
  if (!isControlMade) await must("POST", PATH, serviceManifest(CONTROL, {}));
  isControlMade = true;
  patches += 1;
  const condition = {
    type: "Bench",
    status: "True",
    reason: "Bench",
    message: String(patches),
    lastTransitionTime: "2026-01-01T00:00:00Z",
  };
  const seenAt = new Map<string, number>();
  onSeen = ({ metadata }) => void seenAt.set(metadata.resourceVersion, bootTimeMs());
  const calledAt = bootTimeMs();
  const body = { status: { conditions: [condition] } };
  const { metadata } = await must("PATCH", `${PATH}/${CONTROL}/status`, body);
  while (!seenAt.has(metadata.resourceVersion)) await sleep(0);
  return (seenAt.get(metadata.resourceVersion) ?? 0) - calledAt;
}

async function create(name: string, address: string): Promise<Created> {
  const patchToWatchMs = await measurePatch();
  // Nothing of it may still be under way.
  await sleep(100);
  const spec = { type: "LoadBalancer", loadBalancerIP: address };
  // Without an endpoint nobody answers; it is there before, as it is for a Service with pods.
  await must("POST", SLICES, sliceManifest(name));
  const seen = delivered(({ metadata }) => metadata.name === name);
  const calledAt = bootTimeMs();
  await must("POST", PATH, serviceManifest(name, spec));
  const createMs = bootTimeMs() - calledAt;
  const createToWatchMs = (await seen) - calledAt;
  return { calledAt, createMs, createToWatchMs, patchToWatchMs };
}

void watch();
serve(
  (question: MakerQuestion): Promise<unknown> =>
    question.kind === "fill" ? fill(question.count) : create(question.name, question.address),
);

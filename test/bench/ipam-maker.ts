// Runs beside the API server: makes many Services, measures how fast the API server takes writes of
// their status, and notes when each has an address, with a watch of its own. It does not know lbd.

import { bootTimeMs } from "../../native/index.ts";
import { ApiClient } from "../../src/k8s-sync/client.ts";
import { loadKubeconfig } from "../../src/k8s-sync/kubeconfig.ts";
import { serve } from "../lab/lab-program.ts";
import { endpointSliceManifest } from "../lab/manifests.ts";

export type IpamQuestion =
  /** Services of type LoadBalancer, each with an endpoint; answers how long it took, in ms. */
  | { readonly kind: "make"; readonly count: number }
  /** Writes of the status of those Services, so many at a time; answers writes a second. */
  | { readonly kind: "write"; readonly count: number; readonly parallel: number }
  /** How many have an address so far. */
  | { readonly kind: "count" }
  /** All that have one, with it. */
  | { readonly kind: "assigned" };

/** By Service, when its address was seen first. */
export interface Assigned {
  readonly address: string;
  /** Boot clock, ms. */
  readonly at: number;
}

const PATH = "/api/v1/namespaces/default/services";
const SLICES = "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices";
const PARALLEL = 16;
const SILENCE_MS_MAX = 3_600_000;

const [kubeconfig = ""] = process.argv.slice(2);
const settings = loadKubeconfig(kubeconfig, { now: Date.now() as never, allowInsecure: false });
const client = new ApiClient(settings);
const assigned = new Map<string, Assigned>();

interface SeenService {
  readonly metadata: { readonly name: string };
  readonly status?: { readonly loadBalancer?: { readonly ingress?: readonly { ip?: string }[] } };
}

async function watch(): Promise<void> {
  const forever = new AbortController().signal;
  const request = { path: PATH, query: {}, idleTimeoutMs: SILENCE_MS_MAX };
  for await (const message of client.watch(request, forever)) {
    if (message.type === "FAILED") throw new Error(message.failure.message);
    if (message.type !== "ADDED" && message.type !== "MODIFIED") continue;
    const { metadata, status } = message.object as SeenService;
    const address = status?.loadBalancer?.ingress?.[0]?.ip;
    if (!metadata.name.startsWith(PREFIX) || address === undefined) continue;
    if (!assigned.has(metadata.name)) assigned.set(metadata.name, { address, at: bootTimeMs() });
  }
}

async function must(method: "POST" | "PATCH", path: string, body: object): Promise<void> {
  const contentType = method === "PATCH" ? "application/merge-patch+json" : "application/json";
  const outcome = await client.request({ method, path, body, contentType });
  if (!outcome.ok) throw new Error(outcome.failure.message);
}

const PREFIX = "ipam-";

function serviceManifest(name: string): object {
  const spec = { type: "LoadBalancer", ports: [{ port: 80, targetPort: 8080 }] };
  return { apiVersion: "v1", kind: "Service", metadata: { name }, spec };
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

/** Runs the work for 0, 1, ... so many at a time; how long all of it took, in ms. */
async function timed(
  count: number,
  parallel: number,
  work: (i: number) => Promise<void>,
): Promise<number> {
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let i = next++; i < count; i = next++) await work(i);
  };
  const since = bootTimeMs();
  await Promise.all(Array.from({ length: parallel }, worker));
  return bootTimeMs() - since;
}

function make(count: number): Promise<number> {
  return timed(count, PARALLEL, async (i) => {
    await must("POST", SLICES, sliceManifest(`${PREFIX}${i}`));
    await must("POST", PATH, serviceManifest(`${PREFIX}${i}`));
  });
}

let writes = 0;

/** A condition: a status as large as one with an address, which nobody acts on. */
async function writeRate(count: number, parallel: number): Promise<number> {
  const ms = await timed(count, parallel, (i) => {
    writes += 1;
    const condition = {
      type: "Bench",
      status: "True",
      reason: "Bench",
      message: String(writes),
      lastTransitionTime: "2026-01-01T00:00:00Z",
    };
    const body = { status: { conditions: [condition] } };
    return must("PATCH", `${PATH}/${PREFIX}${i}/status`, body);
  });
  return (count / ms) * 1_000;
}

void watch();
serve(async (question: IpamQuestion): Promise<unknown> => {
  switch (question.kind) {
    case "make":
      return make(question.count);
    case "write":
      return writeRate(question.count, question.parallel);
    case "count":
      return assigned.size;
    case "assigned":
      return [...assigned.values()];
  }
});

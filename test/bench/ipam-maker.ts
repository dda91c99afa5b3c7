// Runs beside the API server: makes many Services, measures how fast the API server takes writes of
// their status, and notes when each has an address, with a watch of its own. It does not know lbd.

import { bootTimeMs } from "../../native/index.ts";
import { serve } from "../lab/lab-program.ts";
import {
  benchStatus,
  client,
  LOAD_BALANCER,
  must,
  PATH,
  SLICES,
  serviceManifest,
  sliceManifest,
} from "./service-api.ts";

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

const PARALLEL = 16;
const SILENCE_MS_MAX = 3_600_000;

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

const PREFIX = "ipam-";

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
    await must("POST", PATH, serviceManifest(`${PREFIX}${i}`, LOAD_BALANCER));
  });
}

let writes = 0;

async function writeRate(count: number, parallel: number): Promise<number> {
  const ms = await timed(count, parallel, async (i) => {
    writes += 1;
    await must("PATCH", `${PATH}/${PREFIX}${i}/status`, benchStatus(writes));
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

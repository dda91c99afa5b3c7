// Runs beside the API server: creates Services, and measures what the API itself takes, with a
// watch of its own. It does not know lbd.

import { setTimeout as sleep } from "node:timers/promises";
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

export type MakerQuestion =
  /** Services with addresses, at once; answered when each has its address in its status. */
  | { readonly kind: "fill"; readonly count: number }
  /** One Service; it asks for that address, or takes what it gets. */
  | { readonly kind: "create"; readonly name: string; readonly requested: string | null };

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

const CONTROL = "bench-control";
const FILL_TIMEOUT_MS = 60_000;
const PARALLEL = 10;

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

async function fill(count: number): Promise<number> {
  const names = Array.from({ length: count }, (_, i) => `bench-fill-${i}`);
  const queue = [...names];
  const work = async (): Promise<void> => {
    for (let name = queue.shift(); name !== undefined; name = queue.shift()) {
      await must("POST", SLICES, sliceManifest(name));
      await must("POST", PATH, serviceManifest(name, LOAD_BALANCER));
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
  const seenAt = new Map<string, number>();
  onSeen = ({ metadata }) => void seenAt.set(metadata.resourceVersion, bootTimeMs());
  const calledAt = bootTimeMs();
  const path = `${PATH}/${CONTROL}/status`;
  const { metadata } = await must<SeenService>("PATCH", path, benchStatus(patches));
  while (!seenAt.has(metadata.resourceVersion)) await sleep(0);
  return (seenAt.get(metadata.resourceVersion) ?? 0) - calledAt;
}

async function create(name: string, requested: string | null): Promise<Created> {
  const patchToWatchMs = await measurePatch();
  // Nothing of it may still be under way.
  await sleep(100);
  const spec = {
    ...LOAD_BALANCER,
    ...(requested === null ? {} : { loadBalancerIP: requested }),
  };
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
    question.kind === "fill" ? fill(question.count) : create(question.name, question.requested),
);

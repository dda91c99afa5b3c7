// All Services of a cluster as the test process reads them, and every state that they are in, one
// write after the other.

import { wallMs } from "../../../src/core/time.ts";
import { ApiClient } from "../../../src/k8s-sync/client.ts";
import { loadKubeconfig } from "../../../src/k8s-sync/kubeconfig.ts";
import type { ControlPlane } from "../../lab/control-plane.ts";
import { eventually } from "../../lab/eventually.ts";

export const SERVICES = "/api/v1/namespaces/default/services";
const TIMEOUT_MS = 60_000;
const INTERVAL_MS = 200;
/** Nothing happens for long while a Lease passes. */
const SILENCE_MS_MAX = 300_000;

export interface SeenService {
  readonly metadata: {
    readonly name: string;
    readonly resourceVersion: string;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly managedFields?: readonly { readonly manager: string; readonly time: string }[];
  };
  readonly status?: { readonly loadBalancer?: { readonly ingress?: readonly SeenIngress[] } };
}

interface SeenIngress {
  readonly ip?: string;
  readonly ipMode?: string;
}

/** As the cluster's administrator. */
export async function openApi(controlPlane: ControlPlane): Promise<ApiClient> {
  const server = await controlPlane.openOnLoopback();
  const file = await controlPlane.kubeconfig(undefined, { server });
  return new ApiClient(loadKubeconfig(file, { now: wallMs(Date.now()), allowInsecure: false }));
}

export async function listServices(api: ApiClient): Promise<SeenService[]> {
  const outcome = await api.request<{ items: SeenService[] }>({ method: "GET", path: SERVICES });
  if (!outcome.ok) throw new Error(outcome.failure.message);
  return outcome.value.items;
}

export function addressesOf({ status }: SeenService): string[] {
  return (status?.loadBalancer?.ingress ?? []).map(({ ip = "" }) => ip);
}

/** Until each of them has one address. */
export async function untilAllHave(api: ApiClient, all: readonly string[]): Promise<void> {
  const lacking = async (): Promise<string[]> => {
    const having = (await listServices(api)).filter((one) => addressesOf(one).length === 1);
    const names = new Set(having.map(({ metadata }) => metadata.name));
    return all.filter((name) => !names.has(name));
  };
  await eventually("all to have an address", lacking, {
    timeoutMs: TIMEOUT_MS,
    intervalMs: INTERVAL_MS,
    until: (names) => names.length === 0,
  });
}

/** Calls back with every Service there is, and each state that one gets into, until `signal`. */
export async function watchServices(
  api: ApiClient,
  onState: (type: "ADDED" | "MODIFIED" | "DELETED", service: SeenService) => void,
  signal: AbortSignal,
): Promise<void> {
  const request = { path: SERVICES, query: {}, idleTimeoutMs: SILENCE_MS_MAX };
  for await (const message of api.watch(request, signal)) {
    if (signal.aborted) return;
    switch (message.type) {
      case "ADDED":
      case "MODIFIED":
      case "DELETED":
        onState(message.type, (message as { object: SeenService }).object);
        break;
      case "FAILED":
        throw new Error(message.failure.message);
    }
  }
}

/** Who had another's address at any moment: `address: who and who`. Ends with `signal`. */
export async function watchForTwice(api: ApiClient, signal: AbortSignal): Promise<string[]> {
  const has = new Map<string, readonly string[]>();
  const twice: string[] = [];
  await watchServices(
    api,
    (type, service) => {
      const { name } = service.metadata;
      has.delete(name);
      if (type === "DELETED") return;
      const addresses = addressesOf(service);
      for (const [other, others] of has) {
        const shared = addresses.filter((address) => others.includes(address));
        twice.push(...shared.map((address) => `${address}: ${other} and ${name}`));
      }
      has.set(name, addresses);
    },
    signal,
  );
  return twice;
}

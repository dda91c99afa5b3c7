// What a leader that was replaced has sent may still be on its way. Its write is refused where the
// Service was written to since; one that waits was not. So before a successor gives anything away
// it writes to each that waits: then nothing of before can arrive any more.
//
// Not covered: a Service that has an address and is to get another one. Both leaders would write to
// it, and the successor does so first of all.

import type { Service } from "../k8s-sync/model.ts";
import type { Outcome } from "../k8s-sync/outcome.ts";
import type { ServiceStatusChange } from "../k8s-sync/service-status.ts";
import { POOL_ANNOTATION, wantsAddress } from "./service-request.ts";

export interface FencePorts {
  /** Those that are lbd's. */
  readonly services: () => Iterable<Service>;
  readonly patch: (service: Service, change: ServiceStatusChange) => Promise<Outcome<Service>>;
  readonly mayGoOn: () => boolean;
  readonly pause: () => Promise<void>;
}

/** One Service that cannot be written to must not keep all others from their addresses. */
const ROUNDS_MAX = 3;

/** Resolves when each that waits was written to by somebody, or when this node may not go on. */
export async function fence(ports: FencePorts): Promise<void> {
  let open = [...ports.services()].filter(isWaiting);
  for (let round = 1; open.length > 0 && ports.mayGoOn(); round++) {
    const isDone = await Promise.all(open.map((service) => touch(service, ports)));
    open = open.filter((_, index) => isDone[index] !== true);
    if (open.length === 0 || round === ROUNDS_MAX) return;
    await ports.pause();
  }
}

function isWaiting(service: Service): boolean {
  return wantsAddress(service) && service.status.ingress.length === 0;
}

/** A write that changes nothing would not count as one: the annotation comes, or goes. */
async function touch(service: Service, { patch, mayGoOn }: FencePorts): Promise<boolean> {
  if (!mayGoOn()) return false;
  const pool = POOL_ANNOTATION in service.metadata.annotations ? null : "";
  const outcome = await patch(service, { ingress: [], annotations: { [POOL_ANNOTATION]: pool } });
  // A conflict: somebody has written to it since it was listed, which is as good.
  return outcome.ok || ["conflict", "not-found"].includes(outcome.failure.kind);
}

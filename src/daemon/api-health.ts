// How well the Kubernetes API can be reached, for people.

import type { BootMs } from "../core/time.ts";
import type { ApiFailure } from "../k8s-sync/outcome.ts";
import type { LeaseWriter } from "./lease-writer.ts";
import type { Reflectors } from "./reflectors.ts";

export interface ApiHealth {
  /** By resource: why it cannot be read now. */
  readonly failures: ReadonlyMap<string, ApiFailure>;
  /** Why Leases cannot be written now, or null. */
  readonly leaseFailure: ApiFailure | null;
  /** False when nothing at all gets through. */
  readonly isReachable: boolean;
  readonly lastContactAt: BootMs | null;
}

export function apiHealth(
  reflectors: Pick<Reflectors, "failures" | "count" | "lastContactAt">,
  writer: Pick<LeaseWriter, "failure">,
): ApiHealth {
  const failures = reflectors.failures();
  const isReachable = failures.size < reflectors.count;
  const lastContactAt = reflectors.lastContactAt();
  return { failures, leaseFailure: writer.failure(), isReachable, lastContactAt };
}

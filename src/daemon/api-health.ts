// How well the Kubernetes API can be reached, for people.

import type { Finding } from "../api/types.ts";
import type { BootMs } from "../core/time.ts";
import type { ApiFailure } from "../k8s-sync/outcome.ts";
import {
  type CredentialsState,
  credentialsFindings,
  credentialsTrouble,
} from "./credentials-findings.ts";
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
  /** In short, what is wrong with the credentials, or null. */
  readonly trouble: string | null;
  readonly credentials: readonly Finding[];
}

export function apiHealth(
  reflectors: Pick<Reflectors, "failures" | "count" | "lastContactAt">,
  writer: Pick<LeaseWriter, "failure">,
  state: CredentialsState,
): ApiHealth {
  const failures = reflectors.failures();
  const trouble = credentialsTrouble(state);
  const credentials = credentialsFindings(state);
  // All that fails then fails for the one reason, which is told already.
  const isTold = !state.inUse || state.foreignCluster !== null;
  return {
    failures: isTold ? new Map() : failures,
    leaseFailure: isTold ? null : writer.failure(),
    isReachable: failures.size < reflectors.count && !isTold,
    lastContactAt: reflectors.lastContactAt(),
    trouble,
    credentials,
  };
}

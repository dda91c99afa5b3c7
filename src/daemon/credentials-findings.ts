// What is not as it should be with the credentials of this node, with what to do about it. Pure.

import type { Finding } from "../api/types.ts";
import { isNearEnd, type Validity } from "./token-life.ts";

export interface CredentialsState {
  /** Of the kubeconfig. */
  readonly path: string;
  readonly inUse: boolean;
  /** Why the kubeconfig, as it is now, cannot be used, or null. */
  readonly problem: string | null;
  /** In words: it leads to another cluster; or null. */
  readonly foreignCluster: string | null;
  readonly kind: "token" | "client certificate";
  /** Null: it has no end, or none that can be read. */
  readonly validity: Validity | null;
  readonly leftMs: number | null;
  /** By this daemon, before it ends. */
  readonly isRenewed: boolean;
  readonly renewalFailure: string | null;
}

const BOOTSTRAP = "sudo lbctl bootstrap --kubeconfig admin.conf";
const JOIN = "sudo lbctl join --kubeconfig admin.conf";
const BY_HAND = "it is not one that lbd renews";

/** For `systemctl status`, in short; null: all is well. */
export function credentialsTrouble(state: CredentialsState): string | null {
  const { inUse, foreignCluster, kind, leftMs } = state;
  if (!inUse) return `waiting for credentials: ${BOOTSTRAP}`;
  if (foreignCluster !== null) return "the kubeconfig leads to another cluster";
  return leftMs !== null && leftMs <= 0 ? `the ${kind} has expired: ${JOIN}` : null;
}

export function credentialsFindings(state: CredentialsState): Finding[] {
  if (!state.inUse) return [waiting(state)];
  const found: Finding[] = [];
  if (state.foreignCluster !== null) found.push(foreign(state.foreignCluster));
  if (state.problem !== null) found.push(unusable(state.problem));
  if (state.validity === null || state.leftMs === null) return found;
  if (state.leftMs <= 0) found.push(ended(state));
  else if (isNearEnd(state.validity, state.leftMs)) found.push(nearEnd(state, state.leftMs));
  return found;
}

function waiting({ problem }: CredentialsState): Finding {
  return {
    health: "failing",
    what: "There are no credentials for the Kubernetes API: what was served before is served on",
    cause: problem ?? "they were not looked for yet",
    next: `${BOOTSTRAP}; on further nodes: ${JOIN}`,
  };
}

function unusable(problem: string): Finding {
  const what = "The kubeconfig cannot be used: the one before it stays in use until a restart";
  return { health: "degraded", what, cause: problem, next: JOIN };
}

function foreign(text: string): Finding {
  return {
    health: "failing",
    what: "The kubeconfig leads to another cluster: it is not used, and holdover goes on",
    cause: text,
    next: `${JOIN}, of this host's cluster; to go over to the other: sudo lbctl leave --force`,
  };
}

function ended({ kind, validity, renewalFailure, isRenewed }: CredentialsState): Finding {
  const at = new Date(validity?.expiresAt ?? 0).toISOString();
  return {
    health: "degraded",
    what: `The ${kind} of this node has expired: holdover goes on, and the API does not answer`,
    cause: `it ended at ${at}; ${renewalFailure ?? reasonOf(isRenewed)}`,
    next: `${JOIN}; the new one is taken up at once`,
  };
}

function nearEnd(state: CredentialsState, leftMs: number): Finding {
  const { kind, renewalFailure, isRenewed } = state;
  return {
    health: "degraded",
    what: `The ${kind} of this node ends in ${inWords(leftMs)}`,
    cause: renewalFailure ?? reasonOf(isRenewed),
    next: isRenewed ? `look at the API server; before the end, or after it: ${JOIN}` : JOIN,
  };
}

function reasonOf(isRenewed: boolean): string {
  return isRenewed ? "it was not renewed yet" : BY_HAND;
}

function inWords(ms: number): string {
  const minutes = Math.max(1, Math.round(ms / 60_000));
  if (minutes < 120) return `${minutes} min`;
  const hours = Math.round(minutes / 60);
  return hours < 48 ? `${hours} h` : `${Math.round(hours / 24)} days`;
}

// What came of a question to the Kubernetes API, as a value: nothing here is ever thrown. `kind` is
// for code, `message` for the operator. It does not say what to do next, but for whether to retry.

export type ApiFailureKind =
  | "unreachable"
  | "timeout"
  | "certificate"
  | "unauthorized"
  | "forbidden"
  | "not-found"
  | "conflict"
  | "already-exists"
  | "gone"
  | "invalid"
  | "throttled"
  | "server-error"
  | "not-json"
  | "truncated"
  | "too-large";

export interface ApiFailure {
  readonly kind: ApiFailureKind;
  /** One sentence: what was asked, what came, and what to do where something can be done. */
  readonly message: string;
  /** The HTTP status, where there was an answer. */
  readonly status?: number;
  /** How long the server asked to be left alone. */
  readonly retryAfterMs?: number;
}

export type Outcome<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly failure: ApiFailure };

export function success<T>(value: T): Outcome<T> {
  return { ok: true, value };
}

export function failed(
  kind: ApiFailureKind,
  message: string,
  details: { status?: number; retryAfterMs?: number } = {},
): { readonly ok: false; readonly failure: ApiFailure } {
  return { ok: false, failure: { kind, message, ...details } };
}

/** Whether asking again may help at all. Only a request that is wrong in itself stays wrong. */
export function isRetryable(failure: ApiFailure): boolean {
  return failure.kind !== "invalid";
}

const ABOUT_THE_OBJECT: ReadonlySet<ApiFailureKind> = new Set([
  "forbidden",
  "not-found",
  "conflict",
  "already-exists",
  "gone",
  "invalid",
  "too-large",
]);

/**
 * Whether the API server understood and refused this very write: sending it again unchanged gets
 * the same answer until somebody changes something else.
 */
export function isRefusal(failure: ApiFailure): boolean {
  return ABOUT_THE_OBJECT.has(failure.kind);
}

/**
 * Whether a watch that failed so cannot go on from its resourceVersion: history compacted, resource
 * type removed, or a version the server does not know (an etcd that was restored from a backup).
 */
export function needsRelist(failure: ApiFailure): boolean {
  if (failure.kind === "gone" || failure.kind === "not-found" || failure.kind === "invalid") {
    return true;
  }
  return /too large resource version/i.test(failure.message);
}

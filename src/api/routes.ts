// The route table: every path of the socket API with who may use it. Reviewing permissions is
// reading this page. Handlers return values; only the server knows status codes and JSON.

import type {
  ExplainView,
  HistoryView,
  NodeView,
  PoolView,
  Resources,
  ServiceView,
  StatusView,
  VipView,
} from "./types.ts";
import { SCHEMA } from "./types.ts";

/** What the handlers ask of the daemon. */
export interface ApiSource {
  /** Called before every answer: fetches what other threads know. Must not take long. */
  refresh(): Promise<void>;
  status(): StatusView;
  vips(): VipView[];
  services(): ServiceView[];
  pools(): PoolView[];
  nodes(): NodeView[];
  history(filter: { address?: string | undefined; limit: number }): HistoryView[];
  /** Null when there is neither a Service nor an address of that name. */
  explain(subject: string): ExplainView | null;
}

/** `read`: everybody who can open the socket (root and the group lbd). `change`: root. */
export type Access = "read" | "change";

export type HandlerResult<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly kind: "not-found" | "bad-request"; readonly message: string };

export interface Route<P extends keyof Resources = keyof Resources> {
  readonly method: "GET";
  readonly path: P;
  readonly access: Access;
  readonly handle: (source: ApiSource, query: URLSearchParams) => HandlerResult<Resources[P]>;
}

const HISTORY_LIMIT_DEFAULT = 100;
const HISTORY_LIMIT_MAX = 10_000;

export const ROUTES: readonly Route[] = [
  get("/v1/status", (source) => item(source.status())),
  get("/v1/vips", (source) => list(source.vips())),
  get("/v1/services", (source) => list(source.services())),
  get("/v1/pools", (source) => list(source.pools())),
  get("/v1/nodes", (source) => list(source.nodes())),
  get("/v1/history", history),
  get("/v1/explain", explain),
];

function get<P extends keyof Resources>(path: P, handle: Route<P>["handle"]): Route {
  return { method: "GET", path, access: "read", handle } as Route<P> as unknown as Route;
}

function item<T>(value: T): HandlerResult<{ schema: typeof SCHEMA; item: T }> {
  return { ok: true, value: { schema: SCHEMA, item: value } };
}

function list<T>(
  items: readonly T[],
): HandlerResult<{ schema: typeof SCHEMA; items: readonly T[] }> {
  return { ok: true, value: { schema: SCHEMA, items } };
}

function history(source: ApiSource, query: URLSearchParams) {
  const text = query.get("limit") ?? String(HISTORY_LIMIT_DEFAULT);
  const limit = Number(text);
  if (!Number.isInteger(limit) || limit < 1 || limit > HISTORY_LIMIT_MAX) {
    const message = `Cannot read "limit": found "${text}", expected 1 to ${HISTORY_LIMIT_MAX}`;
    return { ok: false, kind: "bad-request", message } as const;
  }
  return list(source.history({ address: query.get("address") ?? undefined, limit }));
}

function explain(source: ApiSource, query: URLSearchParams) {
  const subject = query.get("subject") ?? "";
  if (subject === "") {
    const message = 'Cannot explain nothing: give "subject", a Service or an address';
    return { ok: false, kind: "bad-request", message } as const;
  }
  const view = source.explain(subject);
  if (view !== null) return item(view);
  const message =
    `Cannot explain "${subject}": there is no Service of type LoadBalancer and no address of ` +
    'that name (a Service is written "namespace/name")';
  return { ok: false, kind: "not-found", message } as const;
}

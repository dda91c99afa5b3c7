// The route table: every path of the socket API with who may use it. Reviewing permissions is
// reading this page. Handlers return values; only the server knows status codes and JSON.

import { z } from "zod";
import { type WallMs, wallMs } from "../core/time.ts";
import type { FramesView } from "./frames-view.ts";
import type { ConfigPlanView, PlanRequest, ShadowView } from "./plan-view.ts";
import type {
  Commands,
  DrainView,
  ExplainView,
  HistoryView,
  MoveView,
  NodeView,
  PoolView,
  Resources,
  ServiceView,
  StatusView,
  VipView,
} from "./types.ts";
import { SCHEMA } from "./types.ts";

/** Which rows of the history are asked for: those that fit all that is given. */
export interface HistoryQuery {
  readonly address?: string | undefined;
  readonly node?: string | undefined;
  readonly since?: WallMs | undefined;
  readonly limit: number;
}

/** What the handlers ask of the daemon. */
export interface ApiSource {
  /** Called before every answer: fetches what other threads know. Must not take long. */
  refresh(): Promise<void>;
  status(): StatusView;
  vips(): VipView[];
  services(): ServiceView[];
  pools(): PoolView[];
  nodes(): NodeView[];
  history(filter: HistoryQuery): HistoryView[];
  /** Null when there is neither a Service nor an address of that name. */
  explain(subject: string): ExplainView | null;
  drain(): DrainView;
  /** Null when the responder thread does not answer in time. */
  frames(): Promise<FramesView | null>;
  planRebalance(): MoveView[];
  planConfig(request: PlanRequest): CommandResult<ConfigPlanView>;
  /** Refused where the daemon is active. */
  planShadow(): CommandResult<ShadowView>;
}

/** `refused`: why it is not done. */
export type CommandResult<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly kind: "not-found" | "refused"; readonly message: string };

/** What the handlers have the daemon do. */
export interface ApiCommands {
  drain(force: boolean): DrainView;
  undrain(): DrainView;
  move(address: string, node: string): CommandResult<MoveView>;
  /** Begins the moves from this node that a rebalancing consists of. */
  rebalance(): MoveView[];
}

/** `read`: everybody who can open the socket (root and the group lbd). `change`: root. */
export type Access = "read" | "change";

export type HandlerResult<T> =
  | { readonly ok: true; readonly value: T }
  | {
      readonly ok: false;
      readonly kind: "not-found" | "bad-request" | "refused";
      readonly message: string;
    };

export interface Request {
  readonly query: URLSearchParams;
  /** Parsed JSON, not yet looked at; undefined for GET. */
  readonly body: unknown;
}

export interface Route {
  readonly method: "GET" | "POST";
  readonly path: keyof Resources | keyof Commands;
  readonly access: Access;
  readonly handle: (
    daemon: { readonly source: ApiSource; readonly commands: ApiCommands },
    request: Request,
  ) => HandlerResult<unknown> | Promise<HandlerResult<unknown>>;
}

const HISTORY_LIMIT_DEFAULT = 100;
const HISTORY_LIMIT_MAX = 10_000;

const MOVE = z.strictObject({ address: z.string().min(1), node: z.string().min(1) });

const PLAN = z.strictObject({
  files: z.array(z.strictObject({ name: z.string(), text: z.string() })).min(1),
  replace: z.boolean().default(false),
});

export const ROUTES: readonly Route[] = [
  get("/v1/status", (source) => item(source.status())),
  get("/v1/vips", (source) => list(source.vips())),
  get("/v1/services", (source) => list(source.services())),
  get("/v1/pools", (source) => list(source.pools())),
  get("/v1/nodes", (source) => list(source.nodes())),
  get("/v1/history", history),
  get("/v1/explain", explain),
  get("/v1/drain", (source) => item(source.drain())),
  get("/v1/frames", frames),
  get("/v1/plan/rebalance", (source) => list(source.planRebalance())),
  get("/v1/plan/shadow", (source) => {
    const result = source.planShadow();
    return result.ok ? item(result.value) : result;
  }),
  post("/v1/drain", z.strictObject({ force: z.boolean().default(false) }), (commands, { force }) =>
    item(commands.drain(force)),
  ),
  post("/v1/undrain", z.strictObject({}), (commands) => item(commands.undrain())),
  post("/v1/move", MOVE, (commands, { address, node }) => {
    const result = commands.move(address, node);
    return result.ok ? item(result.value) : result;
  }),
  post("/v1/rebalance", z.strictObject({}), (commands) => list(commands.rebalance())),
  ask("/v1/plan/config", PLAN, (source, request) => {
    const result = source.planConfig(request);
    return result.ok ? item(result.value) : result;
  }),
];

function get<P extends keyof Resources>(
  path: P,
  handle: (
    source: ApiSource,
    query: URLSearchParams,
  ) => HandlerResult<Resources[P]> | Promise<HandlerResult<Resources[P]>>,
): Route {
  const access = "read";
  return { method: "GET", path, access, handle: ({ source }, { query }) => handle(source, query) };
}

function post<P extends keyof Commands, S extends z.ZodType>(
  path: P,
  schema: S,
  handle: (commands: ApiCommands, body: z.output<S>) => HandlerResult<Commands[P]["answer"]>,
): Route {
  return {
    method: "POST",
    path,
    access: "change",
    handle: ({ commands }, { body }) => withBody(schema, body, (read) => handle(commands, read)),
  };
}

/** A question that is too long for a path. */
function ask<P extends keyof Commands, S extends z.ZodType>(
  path: P,
  schema: S,
  handle: (source: ApiSource, body: z.output<S>) => HandlerResult<Commands[P]["answer"]>,
): Route {
  return {
    method: "POST",
    path,
    access: "read",
    handle: ({ source }, { body }) => withBody(schema, body, (read) => handle(source, read)),
  };
}

function withBody<S extends z.ZodType, T>(
  schema: S,
  body: unknown,
  handle: (body: z.output<S>) => HandlerResult<T>,
): HandlerResult<T> {
  const parsed = schema.safeParse(body);
  if (parsed.success) return handle(parsed.data);
  const where = parsed.error.issues.map((issue) => {
    const field = issue.path.length === 0 ? "the body" : `"${issue.path.join(".")}"`;
    return `${field}: ${issue.message}`;
  });
  return { ok: false, kind: "bad-request", message: `Cannot read ${where.join("; ")}` };
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
  const sinceText = query.get("since");
  const since = sinceText === null ? undefined : Date.parse(sinceText);
  if (Number.isNaN(since)) {
    const message = `Cannot read "since": found "${sinceText}", expected a time (RFC 3339)`;
    return { ok: false, kind: "bad-request", message } as const;
  }
  return list(
    source.history({
      address: query.get("address") ?? undefined,
      node: query.get("node") ?? undefined,
      since: since === undefined ? undefined : wallMs(since),
      limit,
    }),
  );
}

async function frames(source: ApiSource): Promise<HandlerResult<Resources["/v1/frames"]>> {
  const view = await source.frames();
  if (view !== null) return item(view);
  const message = "Cannot show the last frames: the responder thread does not answer in time";
  return { ok: false, kind: "refused", message };
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

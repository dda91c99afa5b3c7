// The route table: every path of the socket API with its handler; what it takes and who may use it
// stands in endpoints.ts. Handlers return values; only the server knows status codes and JSON.

import type { z } from "zod";
import { type WallMs, wallMs } from "../core/time.ts";
import type { Endpoint } from "./endpoints.ts";
import * as endpoints from "./endpoints.ts";
import type { FramesView } from "./frames-view.ts";
import { openApiDocument } from "./openapi.ts";
import type { ConfigPlanView, PlanRequest, ShadowView } from "./plan-view.ts";
import type {
  BgpPeerView,
  BgpRouteView,
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
  StreamEvent,
  VipView,
  WireView,
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
  /** Asks FRR. */
  bgpPeers(): Promise<BgpPeerView[]>;
  bgpRoutes(): BgpRouteView[];
  history(filter: HistoryQuery): HistoryView[];
  /** Null when there is neither a Service nor an address of that name. */
  explain(subject: string): ExplainView | null;
  drain(): DrainView;
  /** Null when the responder thread does not answer in time. */
  frames(): Promise<FramesView | null>;
  /** Asks on the wire, which takes half a second. */
  who(address: string): Promise<CommandResult<WireView>>;
  planRebalance(): MoveView[];
  planConfig(request: PlanRequest): CommandResult<ConfigPlanView>;
  /** Refused where the daemon is active. */
  planShadow(): CommandResult<ShadowView>;
  /** Tells all that happens from now on, what is wrong first; the function ends that. */
  subscribe(tell: (event: StreamEvent) => void): () => void;
}

/** `refused`: why it is not done. */
export type CommandResult<T> =
  | { readonly ok: true; readonly value: T }
  | {
      readonly ok: false;
      readonly kind: "not-found" | "bad-request" | "refused";
      readonly message: string;
    };

/** What the handlers have the daemon do. */
export interface ApiCommands {
  drain(force: boolean): DrainView;
  undrain(): DrainView;
  move(address: string, node: string): CommandResult<MoveView>;
  /** Begins the moves from this node that a rebalancing consists of. */
  rebalance(): MoveView[];
}

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

interface Daemon {
  readonly source: ApiSource;
  readonly commands: ApiCommands;
}

export interface Route extends Endpoint {
  readonly handle: (
    daemon: Daemon,
    request: Request,
  ) => HandlerResult<unknown> | Promise<HandlerResult<unknown>>;
}

const HISTORY_LIMIT_DEFAULT = 100;

export const ROUTES: readonly Route[] = [
  get(endpoints.STATUS, (source) => item(source.status())),
  get(endpoints.VIPS, (source) => list(source.vips())),
  get(endpoints.SERVICES, (source) => list(source.services())),
  get(endpoints.POOLS, (source) => list(source.pools())),
  get(endpoints.NODES, (source) => list(source.nodes())),
  get(endpoints.BGP_PEERS, async (source) => list(await source.bgpPeers())),
  get(endpoints.BGP_ROUTES, (source) => list(source.bgpRoutes())),
  get(endpoints.HISTORY, (source, { address, node, since, limit = HISTORY_LIMIT_DEFAULT }) =>
    list(
      source.history({
        ...{ address, node, limit },
        since: since === undefined ? undefined : wallMs(since),
      }),
    ),
  ),
  get(endpoints.EXPLAIN, (source, { subject }) => explain(source, subject)),
  get(endpoints.DRAIN, (source) => item(source.drain())),
  get(endpoints.FRAMES, frames),
  get(endpoints.PLAN_REBALANCE, (source) => list(source.planRebalance())),
  get(endpoints.PLAN_SHADOW, (source) => itemOf(source.planShadow())),
  post(endpoints.PLAN_CONFIG, ({ source }, request) => itemOf(source.planConfig(request))),
  post(endpoints.WIRE_WHO, async ({ source }, { address }) => itemOf(await source.who(address))),
  post(endpoints.START_DRAIN, ({ commands }, { force }) => item(commands.drain(force))),
  post(endpoints.UNDRAIN, ({ commands }) => item(commands.undrain())),
  post(endpoints.MOVE, ({ commands }, { address, node }) => itemOf(commands.move(address, node))),
  post(endpoints.REBALANCE, ({ commands }) => list(commands.rebalance())),
  // The stream itself is the server's: here it is known to be served.
  { ...endpoints.EVENTS, handle: () => ({ ok: true, value: null }) },
  { ...endpoints.OPENAPI, handle: () => ({ ok: true, value: openApiDocument() }) },
];

function get<E extends Endpoint & { path: keyof Resources }>(
  endpoint: E,
  handle: (
    source: ApiSource,
    query: z.output<E["query"]>,
  ) => HandlerResult<Resources[E["path"]]> | Promise<HandlerResult<Resources[E["path"]]>>,
): Route {
  return {
    ...endpoint,
    handle: ({ source }, { query }) => {
      const read = endpoint.query.safeParse(Object.fromEntries(query));
      if (read.success) return handle(source, read.data as z.output<E["query"]>);
      const [issue] = read.error.issues;
      return badRequest(issue === undefined ? "the query" : queryProblem(issue, query));
    },
  };
}

function post<E extends Endpoint & { path: keyof Commands; body: z.ZodType }>(
  endpoint: E,
  handle: (
    daemon: Daemon,
    body: z.output<E["body"]>,
  ) =>
    | HandlerResult<Commands[E["path"]]["answer"]>
    | Promise<HandlerResult<Commands[E["path"]]["answer"]>>,
): Route {
  return {
    ...endpoint,
    handle: (daemon, { body, query }) => {
      const parameter = query.keys().next().value;
      if (parameter !== undefined) return badRequest(`"${parameter}": ${NO_PARAMETER}`);
      const read = endpoint.body.safeParse(body);
      if (read.success) return handle(daemon, read.data as z.output<E["body"]>);
      return badRequest(read.error.issues.map(bodyProblem).join("; "));
    },
  };
}

const NO_PARAMETER = "there is no such parameter";

function badRequest(what: string): HandlerResult<never> {
  return { ok: false, kind: "bad-request", message: `Cannot read ${what}` };
}

function queryProblem(issue: z.core.$ZodIssue, query: URLSearchParams): string {
  if (issue.code === "unrecognized_keys") return `"${issue.keys.join(", ")}": ${NO_PARAMETER}`;
  const name = issue.path.join(".");
  const found = query.get(name);
  if (found === null) return `"${name}": it is missing`;
  return `"${name}": found "${found}", expected ${issue.message}`;
}

function bodyProblem(issue: z.core.$ZodIssue): string {
  const field = issue.path.length === 0 ? "the body" : `"${issue.path.join(".")}"`;
  return `${field}: ${issue.message}`;
}

function item<T>(value: T): HandlerResult<{ schema: typeof SCHEMA; item: T }> {
  return { ok: true, value: { schema: SCHEMA, item: value } };
}

function itemOf<T>(result: CommandResult<T>): HandlerResult<{ schema: typeof SCHEMA; item: T }> {
  return result.ok ? item(result.value) : result;
}

function list<T>(
  items: readonly T[],
): HandlerResult<{ schema: typeof SCHEMA; items: readonly T[] }> {
  return { ok: true, value: { schema: SCHEMA, items } };
}

async function frames(source: ApiSource): Promise<HandlerResult<Resources["/v1/frames"]>> {
  const view = await source.frames();
  if (view !== null) return item(view);
  const message = "Cannot show the last frames: the responder thread does not answer in time";
  return { ok: false, kind: "refused", message };
}

function explain(source: ApiSource, subject: string): HandlerResult<Resources["/v1/explain"]> {
  const view = source.explain(subject);
  if (view !== null) return item(view);
  const message =
    `Cannot explain "${subject}": there is no Service of type LoadBalancer and no address of ` +
    'that name (a Service is written "namespace/name")';
  return { ok: false, kind: "not-found", message };
}

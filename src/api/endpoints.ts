// Every path of the socket API: what it is for, what it takes, what it answers, and an example that
// a test runs. The route table serves these, and openapi.ts writes them down.

import { z } from "zod";
import { CONFIG_PLAN, PLAN_REQUEST, SHADOW } from "./plan-schemas.ts";
import * as schemas from "./schemas.ts";

/** `item`: one of them; `list`: any number of them. */
export interface Answer {
  readonly kind: "item" | "list" | "stream";
  /** Of the OpenAPI document. */
  readonly name: string;
  readonly schema: z.ZodType;
}

export interface Endpoint {
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly summary: string;
  /** `read`: everybody who can open the socket (root and the group lbd). `change`: root. */
  readonly access: "read" | "change";
  /** The parameters after the question mark. An unknown one is refused. */
  readonly query: z.ZodObject;
  /** Null: a request without a body. */
  readonly body: z.ZodType | null;
  readonly answer: Answer;
  /** Query or body of a request that can be made on any node. */
  readonly example: string;
}

const HISTORY_LIMIT_MAX = 10_000;
const NONE = z.strictObject({});

const item = (name: string, schema: z.ZodType): Answer => ({ kind: "item", name, schema });
const list = (name: string, schema: z.ZodType): Answer => ({ kind: "list", name, schema });

/** Refuses with what was expected: the caller is told what was found beside it. */
const LIMIT = z
  .string()
  .regex(/^\d{1,9}$/, `1 to ${HISTORY_LIMIT_MAX}`)
  .transform(Number)
  .pipe(
    z.int().min(1, `1 to ${HISTORY_LIMIT_MAX}`).max(HISTORY_LIMIT_MAX, `1 to ${HISTORY_LIMIT_MAX}`),
  )
  .describe(`how many rows, 1 to ${HISTORY_LIMIT_MAX}; 100 when it is not given`);
const TIME = z
  .string()
  .refine((text) => !Number.isNaN(Date.parse(text)), "a time (RFC 3339)")
  .transform((text) => Date.parse(text))
  .describe("only rows since then, RFC 3339");

const HISTORY_QUERY = z.strictObject({
  address: z.string().describe("only this address").optional(),
  node: z.string().describe("only rows about this node").optional(),
  since: TIME.optional(),
  limit: LIMIT.optional(),
});
const EXPLAIN_QUERY = z.strictObject({
  subject: z.string().min(1, "a Service or an address").describe("namespace/name, or an address"),
});
const DRAIN_BODY = z.strictObject({
  force: z.boolean().default(false).describe("let go even of what no other node takes"),
});
const WIRE_BODY = z.strictObject({ address: z.string().min(1) });
const MOVE_BODY = z.strictObject({ address: z.string().min(1), node: z.string().min(1) });

const read = { method: "GET", access: "read", query: NONE, body: null, example: "" } as const;
const change = { method: "POST", access: "change", query: NONE, example: "{}" } as const;

export const STATUS = {
  ...read,
  path: "/v1/status",
  summary: "Health first, then what this node knows of itself and the cluster",
  answer: item("Status", schemas.STATUS),
} as const satisfies Endpoint;
export const VIPS = {
  ...read,
  path: "/v1/vips",
  summary: "Every external address, its owner and its epoch",
  answer: list("Vip", schemas.VIP),
} as const satisfies Endpoint;
export const SERVICES = {
  ...read,
  path: "/v1/services",
  summary: "Services of type LoadBalancer, their addresses, and why one waits",
  answer: list("Service", schemas.SERVICE),
} as const satisfies Endpoint;
export const POOLS = {
  ...read,
  path: "/v1/pools",
  summary: "Pools: what is assigned, what is left, what is withheld and why",
  answer: list("Pool", schemas.POOL),
} as const satisfies Endpoint;
export const NODES = {
  ...read,
  path: "/v1/nodes",
  summary: "Nodes, as this one sees them",
  answer: list("Node", schemas.NODE),
} as const satisfies Endpoint;
export const BGP_PEERS = {
  ...read,
  path: "/v1/bgp/peers",
  summary: "BGPPeers that select this node, and their sessions, as FRR has them now",
  answer: list("BgpPeer", schemas.BGP_PEER),
} as const satisfies Endpoint;
export const BGP_ROUTES = {
  ...read,
  path: "/v1/bgp/routes",
  summary: "Routes that this node announces by BGP, and how to whom",
  answer: list("BgpRoute", schemas.BGP_ROUTE),
} as const satisfies Endpoint;
export const HISTORY = {
  ...read,
  path: "/v1/history",
  summary: "Changes of owner as this node saw them, newest first; also without the Kubernetes API",
  query: HISTORY_QUERY,
  answer: list("Change", schemas.HISTORY),
  example: "limit=5",
} as const satisfies Endpoint;
export const EXPLAIN = {
  ...read,
  path: "/v1/explain",
  summary: "The chain of causes from a Service to the node that answers",
  query: EXPLAIN_QUERY,
  answer: item("Explanation", schemas.EXPLAIN),
  example: "subject=default/web",
} as const satisfies Endpoint;
export const DRAIN = {
  ...read,
  path: "/v1/drain",
  summary: "Whether this node is drained, and what keeps what it still has",
  answer: item("Drain", schemas.DRAIN),
} as const satisfies Endpoint;
export const FRAMES = {
  ...read,
  path: "/v1/frames",
  summary: "The last frames that this node looked at, each with what became of it",
  answer: item("Frames", schemas.FRAMES),
} as const satisfies Endpoint;
export const EVENTS = {
  ...read,
  path: "/v1/events",
  summary: "What happens, as it happens: server-sent events, each of them JSON",
  answer: { kind: "stream", name: "StreamEvent", schema: schemas.STREAM_EVENT },
} as const satisfies Endpoint;
export const OPENAPI = {
  ...read,
  path: "/v1/openapi.json",
  summary: "This API as an OpenAPI 3.1 document",
  answer: item("OpenApi", z.record(z.string(), z.unknown())),
} as const satisfies Endpoint;
export const PLAN_REBALANCE = {
  ...read,
  path: "/v1/plan/rebalance",
  summary: "Addresses that are not with the node that ranks first for them",
  answer: list("Move", schemas.MOVE),
} as const satisfies Endpoint;
export const PLAN_SHADOW = {
  ...read,
  path: "/v1/plan/shadow",
  summary: "What another load balancer does otherwise; refused unless the daemon is in shadow mode",
  answer: item("Shadow", SHADOW),
} as const satisfies Endpoint;
export const PLAN_CONFIG = {
  ...change,
  path: "/v1/plan/config",
  access: "read",
  summary: "What manifests would do to every Service, were they applied; changes nothing",
  body: PLAN_REQUEST,
  answer: item("ConfigPlan", CONFIG_PLAN),
  example: '{"files":[{"name":"pools.yaml","text":""}],"replace":false}',
} as const satisfies Endpoint;
export const WIRE_WHO = {
  ...change,
  path: "/v1/wire/who",
  access: "read",
  summary: "Asks the segment who answers for an address of a pool; changes nothing",
  body: WIRE_BODY,
  answer: item("Wire", schemas.WIRE),
  example: '{"address":"192.168.100.50"}',
} as const satisfies Endpoint;
export const START_DRAIN = {
  ...change,
  path: "/v1/drain",
  summary: "Hands over all that this node has, and takes nothing",
  body: DRAIN_BODY,
  answer: item("Drain", schemas.DRAIN),
  example: '{"force":false}',
} as const satisfies Endpoint;
export const UNDRAIN = {
  ...change,
  path: "/v1/undrain",
  summary: "The end of that",
  body: NONE,
  answer: item("Drain", schemas.DRAIN),
} as const satisfies Endpoint;
export const MOVE = {
  ...change,
  path: "/v1/move",
  summary: "Hands an address of this node, with the others of its Service, over to another node",
  body: MOVE_BODY,
  answer: item("Move", schemas.MOVE),
  example: '{"address":"192.168.100.50","node":"node2"}',
} as const satisfies Endpoint;
export const REBALANCE = {
  ...change,
  path: "/v1/rebalance",
  summary: "Begins the moves from this node that /v1/plan/rebalance lists",
  body: NONE,
  answer: list("Move", schemas.MOVE),
} as const satisfies Endpoint;

/** In the order of the documentation. */
export const ENDPOINTS = [
  ...[STATUS, VIPS, SERVICES, POOLS, NODES, BGP_PEERS, BGP_ROUTES],
  ...[HISTORY, EXPLAIN, DRAIN, FRAMES, EVENTS],
  ...[PLAN_REBALANCE, PLAN_SHADOW, PLAN_CONFIG, WIRE_WHO],
  ...[START_DRAIN, UNDRAIN, MOVE, REBALANCE, OPENAPI],
] as const satisfies readonly Endpoint[];

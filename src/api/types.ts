// The types of what the daemon tells over its socket: the contract between daemon and lbctl. What a
// field means stands in schemas.ts, which they are made from.

import type { z } from "zod";
import type { FramesView } from "./frames-view.ts";
import type { ConfigPlanView, PlanRequest, ShadowView } from "./plan-view.ts";
import type * as schemas from "./schemas.ts";

export const SCHEMA = "lbd/v1";

/** Who follows the events hears at least that often that the daemon lives. */
export const ALIVE_EVERY_MS = 5_000;

/** The largest number that JSON carries exactly everywhere, 2^53 - 1; it stands for more, too. */
export const COUNT_MAX = Number.MAX_SAFE_INTEGER;

/** Error kinds, independent of HTTP status codes. */
export type ApiErrorKind =
  | "not-found"
  | "bad-request"
  | "method-not-allowed"
  | "forbidden"
  /** It was understood, and will not be done: the message says why. */
  | "refused"
  | "internal";

export interface ApiErrorBody {
  readonly schema: typeof SCHEMA;
  readonly error: { readonly kind: ApiErrorKind; readonly message: string };
}

export type Health = z.infer<typeof schemas.HEALTH>;
export type Finding = z.infer<typeof schemas.FINDING>;
export type StandingFinding = z.infer<typeof schemas.STANDING_FINDING>;
export type StatusView = z.infer<typeof schemas.STATUS>;
export type VipView = z.infer<typeof schemas.VIP>;
export type ServiceView = z.infer<typeof schemas.SERVICE>;
export type FamilyCounts = z.infer<typeof schemas.FAMILY_COUNTS>;
export type PoolView = z.infer<typeof schemas.POOL>;
export type DrainView = z.infer<typeof schemas.DRAIN>;
export type MoveView = z.infer<typeof schemas.MOVE>;
export type NodeView = z.infer<typeof schemas.NODE>;
export type BgpPeerView = z.infer<typeof schemas.BGP_PEER>;
export type BgpRouteView = z.infer<typeof schemas.BGP_ROUTE>;
export type HistoryView = z.infer<typeof schemas.HISTORY>;
export type ExplainView = z.infer<typeof schemas.EXPLAIN>;
/** One link of the causal chain that `explain` shows. */
export type ExplainStep = ExplainView["steps"][number];
export type WireView = z.infer<typeof schemas.WIRE>;
/** One message of the event stream. */
export type StreamEvent = z.infer<typeof schemas.STREAM_EVENT>;

export interface ListView<T> {
  readonly schema: typeof SCHEMA;
  readonly items: readonly T[];
}

export interface ItemView<T> {
  readonly schema: typeof SCHEMA;
  readonly item: T;
}

/** Every resource with its path and the shape of its answer: server and client both use it. */
export interface Resources {
  readonly "/v1/status": ItemView<StatusView>;
  readonly "/v1/vips": ListView<VipView>;
  readonly "/v1/services": ListView<ServiceView>;
  readonly "/v1/pools": ListView<PoolView>;
  readonly "/v1/nodes": ListView<NodeView>;
  readonly "/v1/bgp/peers": ListView<BgpPeerView>;
  readonly "/v1/bgp/routes": ListView<BgpRouteView>;
  readonly "/v1/history": ListView<HistoryView>;
  readonly "/v1/explain": ItemView<ExplainView>;
  readonly "/v1/drain": ItemView<DrainView>;
  readonly "/v1/frames": ItemView<FramesView>;
  readonly "/v1/plan/rebalance": ListView<MoveView>;
  readonly "/v1/plan/shadow": ItemView<ShadowView>;
}

/** What can be asked for: the body of the request, and the answer. */
export interface Commands {
  readonly "/v1/drain": { body: { force: boolean }; answer: ItemView<DrainView> };
  readonly "/v1/undrain": { body: Record<string, never>; answer: ItemView<DrainView> };
  readonly "/v1/move": { body: { address: string; node: string }; answer: ItemView<MoveView> };
  readonly "/v1/rebalance": { body: Record<string, never>; answer: ListView<MoveView> };
  /** Changes nothing: the body is what the question is about. */
  readonly "/v1/wire/who": { body: { address: string }; answer: ItemView<WireView> };
  readonly "/v1/plan/config": { body: PlanRequest; answer: ItemView<ConfigPlanView> };
}

export type ResourcePath = keyof Resources;
export type CommandPath = keyof Commands;

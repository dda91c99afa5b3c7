// What the daemon tells over its socket. These types are the contract between daemon and lbctl;
// the JSON carries `schema`, and a field is only ever added within one schema.

import type { FramesView } from "./frames-view.ts";
import type { ConfigPlanView, PlanRequest, ShadowView } from "./plan-view.ts";

export const SCHEMA = "lbd/v1";

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

/** `ok`: nothing to do. `degraded`: works, but needs a hand. `failing`: something does not work. */
export type Health = "ok" | "degraded" | "failing";

/** One thing that is not as it should be, with its cause and what to do; or only to be known. */
export interface Finding {
  /** `ok`: for information, the daemon is as healthy as without it. */
  readonly health: Health;
  readonly what: string;
  readonly cause: string;
  /** The next command to run, or what to change. */
  readonly next: string;
}

export interface StatusView {
  readonly node: string;
  readonly version: string;
  readonly health: Health;
  readonly findings: readonly Finding[];
  readonly uptimeSeconds: number;
  /** UID of the namespace kube-system of the cluster that this host belongs to; null: of none. */
  readonly cluster: string | null;
  readonly api: {
    readonly server: string;
    readonly reachable: boolean;
    /** Null: never reached since the start. */
    readonly lastContactSecondsAgo: number | null;
  };
  readonly leader: { readonly node: string | null; readonly isThisNode: boolean };
  readonly config: {
    readonly valid: boolean;
    readonly pools: number;
    readonly advertisements: number;
    /** Everything that is wrong with what the cluster has now, up to a thousand lines. */
    readonly problems: readonly string[];
  };
  readonly vips: {
    readonly total: number;
    readonly ownedHere: number;
    readonly withoutOwner: number;
  };
  /** Counters by name: frames by outcome, announcements, Events, .... */
  readonly counters: Readonly<Record<string, number>>;
}

export interface VipView {
  readonly address: string;
  readonly pool: string;
  readonly services: readonly string[];
  readonly owner: string | null;
  readonly epoch: number;
  /** What this node does about it. */
  readonly here: "owning" | "claiming" | "releasing" | "idle";
  readonly interfaces: readonly string[];
  /** Requests answered here since the VIP was taken; null when this node does not own it. */
  readonly answered: number | null;
}

export interface ServiceView {
  readonly service: string;
  readonly addresses: readonly string[];
  readonly pool: string | null;
  readonly requested: readonly string[];
  /** The owner of each address, in the order of `addresses`; null: nobody. */
  readonly owners: readonly (string | null)[];
  /** Why there is no address, or null. Only the leader knows it. */
  readonly pending: string | null;
}

/** How many addresses of each family, at most COUNT_MAX; null: the pool has none of the family. */
export interface FamilyCounts {
  readonly ipv4: number | null;
  readonly ipv6: number | null;
}

/** The largest number that JSON carries exactly everywhere, 2^53 - 1; it stands for more, too. */
export const COUNT_MAX = Number.MAX_SAFE_INTEGER;

export interface PoolView {
  readonly pool: string;
  readonly addresses: readonly string[];
  readonly autoAssign: boolean;
  readonly avoidBuggyIPs: boolean;
  readonly assigned: FamilyCounts;
  /** Neither assigned nor withheld. */
  readonly available: FamilyCounts;
  /** Addresses that are never handed out, with the reason. */
  readonly withheld: readonly { readonly address: string; readonly because: string }[];
  readonly advertisements: readonly string[];
}

/** What keeps an address on a node that is drained. */
export interface StuckView {
  readonly address: string;
  readonly reason: string;
}

export interface DrainView {
  readonly node: string;
  readonly draining: boolean;
  /** `requested` by somebody, or the Node is `cordoned`; null: it is not drained. */
  readonly cause: "requested" | "cordoned" | null;
  /** Addresses are let go of even when no other node takes them. */
  readonly force: boolean;
  /** While it is drained: the addresses that are still answered here, with what keeps them. */
  readonly remaining: readonly StuckView[];
}

/** An address that is not with the node that ranks first for it. */
export interface MoveView {
  readonly address: string;
  readonly from: string;
  readonly to: string;
}

export interface NodeView {
  readonly node: string;
  readonly member: "alive" | "suspect" | "down" | "stopped" | "never-seen";
  /**
   * What its beacons say (`live`, `draining`, `restarting`, `stopping`, `deaf`); `filtered`: none
   * arrive, though its host answers; null: none.
   */
  readonly daemon: string | null;
  readonly owned: number;
  /** Why it is not eligible at all, or null. */
  readonly excluded: string | null;
}

export interface HistoryView {
  /** RFC 3339. */
  readonly at: string;
  readonly address: string;
  readonly change: string;
  readonly node: string | null;
  readonly epoch: number;
  readonly cause: string;
  readonly detail: string;
}

/** One link of the causal chain that `explain` shows. */
export interface ExplainStep {
  readonly step: "service" | "pool" | "advertisement" | "node" | "owner" | "wire";
  readonly state: "ok" | "no" | "problem" | "unknown";
  readonly text: string;
}

export interface ExplainView {
  readonly subject: string;
  readonly answer: string;
  readonly steps: readonly ExplainStep[];
}

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
  readonly "/v1/plan/config": { body: PlanRequest; answer: ItemView<ConfigPlanView> };
}

export type ResourcePath = keyof Resources;
export type CommandPath = keyof Commands;

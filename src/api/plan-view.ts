// What a changed configuration would do, as the socket tells it.

/** What becomes of the addresses of a Service; `waits`: it has none, and would get none. */
export type PlannedChange = "keeps" | "moves" | "loses" | "gains" | "waits";

export interface PlannedServiceView {
  readonly service: string;
  readonly change: PlannedChange;
  readonly before: readonly string[];
  readonly after: readonly string[];
  /** Who answers for each address of `before`; null: nobody. */
  readonly ownersBefore: readonly (string | null)[];
  /** Who would for each of `after`, as this node sees the others. */
  readonly ownersAfter: readonly (string | null)[];
  /** Why it may not keep what it has, or why it gets none; null: there is nothing to say. */
  readonly why: string | null;
  /** What changes of where its addresses are announced, or null. */
  readonly announcement: string | null;
}

export interface PlannedObjectView {
  /** `IPAddressPool "metallb-system/lan"`. */
  readonly object: string;
  readonly change: "new" | "changed" | "unchanged" | "removed";
}

export interface ConfigPlanView {
  /** False: it would not be accepted, so that nothing would change; `problems` says why. */
  readonly valid: boolean;
  readonly problems: readonly string[];
  /** What to know beside it: objects that are not read, and the like. */
  readonly notices: readonly string[];
  readonly objects: readonly PlannedObjectView[];
  readonly summary: Readonly<Record<PlannedChange, number>> & {
    /** Services whose announcement changes. */
    readonly announcements: number;
  };
  /** Every Service that lbd looks after, sorted. */
  readonly services: readonly PlannedServiceView[];
}

/** Manifests, as they would be applied. */
export interface PlanRequest {
  readonly files: readonly { readonly name: string; readonly text: string }[];
  /** They are all there is: what they do not hold is removed. */
  readonly replace: boolean;
}

/** Who answers for an address, and who would. */
export interface ShadowVipView {
  readonly address: string;
  readonly services: readonly string[];
  /** The node that lbd would choose; null: none. */
  readonly chosen: string | null;
  /** Who answered last: nodes, or MACs of hosts that are none; null: nobody was asked yet. */
  readonly answering: readonly string[] | null;
  /** In words; null: it is as lbd would have it, or it cannot be told from here. */
  readonly difference: string | null;
}

/** What the running implementation does otherwise than lbd would. */
export interface ShadowView {
  /** Services whose addresses lbd would not leave as they are. */
  readonly services: readonly PlannedServiceView[];
  readonly vips: readonly ShadowVipView[];
  readonly differences: number;
}

// Where a cluster is between MetalLB and lbd: all of it is read from the cluster, so that a way
// over or back that was interrupted goes on where it was.

/** On nodes: "yes" or "no"; and what the speakers' DaemonSet is made to select. */
export const SPEAKER_LABEL = "lbd-migration/speaker";
/** Annotation of nodes: they had a speaker when they were taken over. */
export const TAKEN_NOTE = "lbd-migration/taken-over";
/** Annotation of the Deployment: how many replicas it had. */
export const REPLICAS_NOTE = "lbd-migration/replicas";
/** Annotation of the DaemonSet: its update strategy, as JSON. */
export const STRATEGY_NOTE = "lbd-migration/update-strategy";

/**
 * What a node says of its speaker: it may run; lbd has taken the node over from it; there was none
 * to take it over from; it is to come back. Null: the node says nothing.
 */
export type SpeakerMark = "yes" | "taken" | "none" | "returning" | null;

export interface ControllerState {
  readonly name: string;
  /** As it is asked for. */
  readonly replicas: number;
  /** As it is. */
  readonly pods: number;
  readonly available: number;
  /** What it was scaled down from by lbctl; null: it was not. */
  readonly noted: number | null;
}

export interface SpeakerState {
  readonly name: string;
  /** Its controller has not yet acted on the last change of its spec. */
  readonly isChanging: boolean;
  /** It runs on nodes with the label alone. */
  readonly isRestricted: boolean;
}

/**
 * What the node Lease says of a node's lbd. `absent`: there is none, or it was given up, as by a
 * daemon that stopped or is in shadow mode; `expired`: nobody renews it; `untold`: it does not say
 * whether it answers.
 */
export type LbdState =
  | { readonly kind: "absent" | "expired" | "untold" | "answers" }
  | { readonly kind: "silent"; readonly why: string };

export interface NodeState {
  readonly name: string;
  readonly mark: SpeakerMark;
  /** Pods of the DaemonSet there, those that are on their way out among them. */
  readonly pods: number;
  /** Of those, the ones that are ready. */
  readonly ready: number;
  readonly lbd: LbdState;
}

/** What MetalLB says it announces, and what lbd's record says of it. */
export interface Announced {
  readonly service: string;
  readonly address: string;
  readonly speaker: string;
  /** The node that holds lbd's Lease of it; null: none does. */
  readonly owner: string | null;
}

export interface TakeoverState {
  readonly namespace: string;
  readonly controller: ControllerState | null;
  readonly speaker: SpeakerState | null;
  /** Every node of the cluster, by name. */
  readonly nodes: readonly NodeState[];
  readonly announced: readonly Announced[];
}

/** What is done at once. */
export type Deed =
  | { readonly do: "scale-controller"; readonly replicas: number; readonly isBack: boolean }
  | { readonly do: "mark-nodes"; readonly nodes: readonly string[]; readonly mark: SpeakerMark }
  | { readonly do: "restrict-speakers" }
  | { readonly do: "free-speakers" };

export type WaitFor =
  /** lbd of a node that has a speaker. */
  | "lbd"
  /** An owner for every address that is announced. */
  | "owners"
  | "controller-gone"
  | "controller-back"
  | "speakers-changed"
  | "speaker-gone"
  | "speaker-back"
  | "answers"
  | "silent";

export interface Wait {
  readonly wait: WaitFor;
  readonly node: string | null;
}

/** What comes now; `nothing`: there is no MetalLB. */
export type Step = Deed | Wait | { readonly end: "done" | "nothing" };

// The decision about one VIP: from what is known now to one action. No state of its own.

import type { Epoch } from "../core/epoch.ts";
import { epochOf, formatEpoch, holdoverOf, NO_EPOCH } from "../core/epoch.ts";
import { unreachable } from "../core/invariant.ts";
import type { BootMs } from "../core/time.ts";
import { after, earliest, NEVER } from "../core/time.ts";
import type { Candidates } from "./candidates.ts";
import type { WireClaim } from "./claims.ts";
import type { Members } from "./members.ts";
import type { Neighbours } from "./neighbours.ts";
import type { Timings } from "./timings.ts";
import type { ClaimCause, LossCause } from "./types.ts";
import type { Phase, Vip } from "./vip.ts";

export interface Situation {
  readonly node: string;
  readonly timings: Timings;
  readonly members: Members;
  readonly neighbours: Neighbours;
  readonly candidates: Candidates;
  /** The strongest claim of others that was heard. */
  readonly wireClaim: (vip: Vip) => WireClaim | null;
  /** The records were read since the start, and the segments listened to for long enough. */
  readonly mayAct: boolean;
  /** The API has confirmed this node's Lease lately. */
  readonly isApiInReach: boolean;
  /** The last write got no answer: claims do not wait for theirs. */
  readonly isHoldover: boolean;
  /** Until then only VIPs that are this node's own by the record are taken. */
  readonly startHoldUntil: BootMs;
  readonly isStopping: boolean;
}

export type Action =
  /** Nothing now; look again at `due`. */
  | { readonly kind: "wait"; readonly due: BootMs }
  | {
      readonly kind: "claim";
      readonly cause: ClaimCause;
      readonly previousOwner: string | null;
      readonly interfaces: readonly string[];
      readonly epoch: Epoch;
      readonly announceAt: BootMs;
    }
  /** Another's claim is better. */
  | { readonly kind: "abandon" }
  /** No answer to the write in time, and no better claim: answer. */
  | { readonly kind: "own-unwritten" }
  /** This node has it already: answer. */
  | { readonly kind: "resume"; readonly interfaces: readonly string[]; readonly epoch: Epoch }
  /** The record names this node at a higher epoch: that is the tenure's from here on. */
  | { readonly kind: "adopt-epoch" }
  /** Ask another to take it over; go on until it has. */
  | { readonly kind: "offer"; readonly to: string; readonly segment: string }
  /** The interfaces have changed. */
  | { readonly kind: "regrant"; readonly interfaces: readonly string[] }
  /** Stop answering, then write that the VIP is free. */
  | { readonly kind: "release"; readonly cause: LossCause; readonly detail: string }
  /** Stop answering; the VIP belongs to somebody else. */
  | { readonly kind: "yield"; readonly detail: string }
  /** The record does not say yet that this node owns the VIP: write it. */
  | { readonly kind: "rewrite" }
  | { readonly kind: "read-member"; readonly node: string };

type Owning = Extract<Phase, { kind: "owning" }>;
type Claiming = Extract<Phase, { kind: "claiming" }>;

const WAIT = { kind: "wait", due: NEVER } as const;

export function decide(vip: Vip, situation: Situation, now: BootMs): Action {
  const { phase } = vip;
  switch (phase.kind) {
    case "releasing":
      return WAIT;
    case "claiming":
      return decideClaiming(vip, phase, situation, now);
    case "owning":
      return decideOwning(vip, phase, situation, now);
    case "idle":
      return decideIdle(vip, situation, now);
    default:
      return unreachable(phase);
  }
}

function decideClaiming(vip: Vip, phase: Claiming, situation: Situation, now: BootMs): Action {
  const other = strongestOther(vip, situation);
  if (other !== null && beats(other, phase.epoch, vip, situation)) return { kind: "abandon" };
  const mayGoOn = situation.mayAct && !situation.isStopping;
  if (!mayGoOn || !situation.candidates.own(vip.spec).eligible) return { kind: "abandon" };
  if (now >= phase.announceAt) return { kind: "own-unwritten" };
  return { kind: "wait", due: phase.announceAt };
}

function decideOwning(vip: Vip, phase: Owning, situation: Situation, now: BootMs): Action {
  const other = strongestOther(vip, situation);
  if (other !== null && beats(other, phase.epoch, vip, situation)) {
    const { offer } = vip;
    // It was asked to, and does not answer yet, whatever the record says: until it does, this does.
    const isTaking = offer?.to === other.node && !offer.isAnnounced;
    if (isTaking && now < offer.until) return { kind: "wait", due: offer.until };
    return { kind: "yield", detail: `to "${other.node}" at epoch ${formatEpoch(other.epoch)}` };
  }
  const { record } = vip;
  if (record?.owner === situation.node && epochOf(record.epoch) > phase.epoch) {
    return { kind: "adopt-epoch" };
  }
  if (situation.isStopping) return decideStopping(vip, phase, situation, now);
  const own = mayOwn(vip, situation, now);
  if (!own.ok) return { kind: "release", cause: "not-eligible", detail: own.reason };
  const isRecorded = vip.record?.owner === situation.node && holdoverOf(phase.epoch) === 0;
  if (!isRecorded && !phase.isRewriting) return rewriteWhenDue(vip, situation, now);
  if (!sameNames(own.interfaces, phase.interfaces)) {
    return { kind: "regrant", interfaces: own.interfaces };
  }
  return WAIT;
}

/** Make before break: the best of those that are heard is asked first. */
function decideStopping(vip: Vip, phase: Owning, situation: Situation, now: BootMs): Action {
  const release = { kind: "release", cause: "stopping", detail: "daemon stops" } as const;
  if (vip.offer !== null) {
    return now < vip.offer.until ? { kind: "wait", due: vip.offer.until } : release;
  }
  const segment = phase.interfaces[0] ?? "";
  const { candidates, neighbours, node } = situation;
  const heard = candidates
    .ranked(vip.spec, now)
    .find((other) => other !== node && neighbours.hearing(other, segment) === "heard");
  return heard === undefined ? release : { kind: "offer", to: heard, segment };
}

/** Whoever else has or claims it, by the record or on the wire, at the highest epoch. */
export function strongestOther(
  vip: Vip,
  situation: Pick<Situation, "node" | "wireClaim">,
): { node: string; epoch: Epoch } | null {
  const wire = situation.wireClaim(vip);
  const { record } = vip;
  if (record === null || record.owner === null || record.owner === situation.node) return wire;
  const recorded = { node: record.owner, epoch: epochOf(record.epoch) };
  return wire !== null && wire.epoch > recorded.epoch ? wire : recorded;
}

/** A higher epoch wins everywhere; of equal ones the node that ranks first. */
function beats(
  other: { readonly node: string; readonly epoch: Epoch },
  epoch: Epoch,
  vip: Vip,
  { candidates, node }: Situation,
): boolean {
  if (other.epoch !== epoch) return other.epoch > epoch;
  // With the API's record there is no tie: whoever it names has it.
  if (vip.record?.owner === other.node && holdoverOf(epoch) === 0) return true;
  return candidates.isBetter(other.node, node, vip.spec);
}

/** Eligible, and healthy unless there is nobody healthier, which may change at `due`. */
function mayOwn(
  vip: Vip,
  { candidates, members, node }: Situation,
  now: BootMs,
): { ok: true; interfaces: readonly string[] } | { ok: false; reason: string; due: BootMs } {
  const own = candidates.own(vip.spec);
  if (!own.eligible) return { ok: false, reason: own.reason, due: NEVER };
  if (own.unhealthy !== null && !candidates.ranked(vip.spec, now).includes(node)) {
    return { ok: false, reason: own.unhealthy, due: members.nextExpiry(now) };
  }
  return { ok: true, interfaces: own.interfaces };
}

function rewriteWhenDue(vip: Vip, situation: Situation, now: BootMs): Action {
  if (!situation.isApiInReach) return WAIT;
  return now < vip.retryAt ? { kind: "wait", due: vip.retryAt } : { kind: "rewrite" };
}

function decideIdle(vip: Vip, situation: Situation, now: BootMs): Action {
  if (!situation.mayAct || (vip.doubt > 0 && situation.isApiInReach)) return WAIT;
  if (now < vip.yieldedUntil) return { kind: "wait", due: vip.yieldedUntil };
  const own = mayOwn(vip, situation, now);
  const mine = ownEpoch(vip, situation);
  if (mine !== NO_EPOCH) {
    if (own.ok && !situation.isStopping) {
      return { kind: "resume", interfaces: own.interfaces, epoch: mine };
    }
    if (now < vip.retryAt) return { kind: "wait", due: vip.retryAt };
    return { kind: "release", cause: "not-eligible", detail: own.ok ? "" : own.reason };
  }
  if (situation.isStopping) return WAIT;
  if (!own.ok) return { kind: "wait", due: own.due };
  return decideClaim(vip, own.interfaces, situation, now);
}

/** The epoch at which this node has the VIP already, by the record or its own memory. */
function ownEpoch(vip: Vip, situation: Situation): Epoch {
  const { record } = vip;
  const recorded = record?.owner === situation.node ? epochOf(record.epoch) : NO_EPOCH;
  const mine = Math.max(recorded, vip.ownEpoch) as Epoch;
  if (mine === NO_EPOCH) return NO_EPOCH;
  const isReleased = record !== null && record.owner === null && epochOf(record.epoch) >= mine;
  const other = strongestOther(vip, situation);
  const isLost = other !== null && beats(other, mine, vip, situation);
  return isReleased || isLost ? NO_EPOCH : mine;
}

/** A claim needs a vacancy, the start hold over, and its turn in the ranking. */
function decideClaim(
  vip: Vip,
  interfaces: readonly string[],
  situation: Situation,
  now: BootMs,
): Action {
  const vacancy = vacancyOf(vip, interfaces[0] ?? "", situation, now);
  if (vacancy.kind !== "vacant") {
    vip.vacantSince = null;
    return vacancy;
  }
  vip.vacantSince ??= now;
  if (vacancy.cause === "handed-over") return claimOf(vip, vacancy, interfaces, situation, now);
  const ranked = situation.candidates.ranked(vip.spec, now);
  const position = Math.max(0, ranked.indexOf(situation.node));
  const first = Math.max(vip.vacantSince, situation.startHoldUntil) as BootMs;
  const { claimStaggerMs } = situation.timings;
  const due = Math.max(after(first, position * claimStaggerMs), vip.retryAt) as BootMs;
  if (now < due) return { kind: "wait", due };
  return claimOf(vip, vacancy, interfaces, situation, now);
}

function claimOf(
  vip: Vip,
  { cause, holder }: Extract<Vacancy, { kind: "vacant" }>,
  interfaces: readonly string[],
  situation: Situation,
  now: BootMs,
): Action {
  const seen = epochOf(vip.leaseEpochSeen);
  const highest = Math.max(holder?.epoch ?? NO_EPOCH, seen, vip.ownEpoch) as Epoch;
  return {
    kind: "claim",
    cause,
    previousOwner: holder?.node ?? null,
    interfaces,
    epoch: (highest + 1) as Epoch,
    announceAt: situation.isHoldover ? now : after(now, situation.timings.claimWaitMs),
  };
}

type Vacancy =
  | {
      readonly kind: "vacant";
      readonly cause: ClaimCause;
      readonly holder: { readonly node: string; readonly epoch: Epoch } | null;
    }
  | Extract<Action, { kind: "wait" | "read-member" }>;

function vacancyOf(vip: Vip, segment: string, situation: Situation, now: BootMs): Vacancy {
  const holder = strongestOther(vip, situation);
  const isReleased =
    vip.record !== null &&
    vip.record.owner === null &&
    (holder === null || holder.epoch <= epochOf(vip.record.epoch));
  if (isReleased) return { kind: "vacant", cause: "released", holder: null };
  if (holder === null) return { kind: "vacant", cause: "unheld", holder: null };
  if (vip.offered !== null && isOffered(vip.offered, holder, now)) {
    return { kind: "vacant", cause: "handed-over", holder };
  }
  if (vip.heardHolder !== holder.node) vip.heardHolder = null;
  const until = situation.wireClaim(vip)?.until ?? NEVER;
  const vacancy = holderVacancy(vip, holder.node, { segment, until }, situation, now);
  const recorded = vip.record?.owner ?? null;
  if (vacancy.kind !== "vacant" || recorded === null) return withHolder(vacancy, holder);
  if (recorded === holder.node || recorded === situation.node) return withHolder(vacancy, holder);
  // What was claimed on an island and died there does not end the tenure that the record names.
  const beside = recordedVacancy(recorded, segment, situation, now);
  return beside === null ? withHolder(vacancy, holder) : beside;
}

/** The offer is of the tenure that stands. */
function isOffered(
  offered: NonNullable<Vip["offered"]>,
  holder: { readonly node: string; readonly epoch: Epoch },
  now: BootMs,
): boolean {
  const isSame = offered.from === holder.node && offered.epoch >= holder.epoch;
  return isSame && now < offered.until;
}

type HolderVacancy =
  | { readonly kind: "vacant"; readonly cause: ClaimCause }
  | Extract<Action, { kind: "wait" | "read-member" }>;

function withHolder(
  vacancy: HolderVacancy,
  holder: { readonly node: string; readonly epoch: Epoch },
): Vacancy {
  return vacancy.kind === "vacant" ? { ...vacancy, holder } : vacancy;
}

function holderVacancy(
  vip: Vip,
  holder: string,
  at: { readonly segment: string; readonly until: BootMs },
  situation: Situation,
  now: BootMs,
): HolderVacancy {
  const { neighbours, members } = situation;
  const { segment, until } = at;
  switch (neighbours.hearing(holder, segment)) {
    case "heard":
      vip.heardHolder = holder;
      return { kind: "wait", due: until };
    case "answers":
      // A host whose beacons are filtered lives, while its Lease does or cannot be read.
      if (!situation.isApiInReach) return { kind: "wait", due: until };
      break;
    case "silent":
      if (vip.heardHolder === holder && neighbours.mayJudge(holder, segment)) {
        return { kind: "vacant", cause: "owner-silent" };
      }
      break;
    case "unknown":
      break;
  }
  const byLease = leaseVacancy(holder, members, now);
  return byLease.kind === "wait" ? { kind: "wait", due: earliest(byLease.due, until) } : byLease;
}

/** Null: the node that the record names, and that was claimed from, is gone, too. */
function recordedVacancy(
  recorded: string,
  segment: string,
  { neighbours, members }: Situation,
  now: BootMs,
): Extract<Action, { kind: "wait" | "read-member" }> | null {
  const hearing = neighbours.hearing(recorded, segment);
  if (hearing === "heard" || hearing === "answers") return WAIT;
  if (hearing === "silent" && neighbours.mayJudge(recorded, segment)) return null;
  const byLease = leaseVacancy(recorded, members, now);
  return byLease.kind === "vacant" ? null : byLease;
}

/** For a holder that beacons do not reach, or of whose silence this node cannot judge. */
function leaseVacancy(
  holder: string,
  members: Members,
  now: BootMs,
): { kind: "vacant"; cause: ClaimCause } | Extract<Action, { kind: "wait" | "read-member" }> {
  switch (members.status(holder, now)) {
    case "alive":
      return { kind: "wait", due: members.deadline(holder, now) };
    case "suspect":
      if (members.shouldRead(holder, now)) return { kind: "read-member", node: holder };
      return { kind: "wait", due: members.deadline(holder, now) };
    case "down":
      return { kind: "vacant", cause: "owner-down" };
    case "stopped":
      return { kind: "vacant", cause: "owner-stopped" };
  }
}

function sameNames(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((name, index) => name === b[index]);
}

// The decision about one VIP: from what is known now to one action. No state of its own, but for
// noting in the VIP since when it is free, and whom it was offered to.

import type { Epoch } from "../core/epoch.ts";
import { epochOf, formatEpoch, holdoverOf, NO_EPOCH, nextHoldover } from "../core/epoch.ts";
import { unreachable } from "../core/invariant.ts";
import type { BootMs } from "../core/time.ts";
import { after, earliest, NEVER } from "../core/time.ts";
import type { Action, Situation } from "./action.ts";
import { decideLeaving, leaveOf, mayOwn } from "./leave.ts";
import type { OwnershipEffect } from "./types.ts";
import type { Vacancy } from "./vacancy.ts";
import { strongestOther, vacancyOf } from "./vacancy.ts";
import type { Offer, Phase, Vip } from "./vip.ts";

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
  const mayGoOn = situation.mayAct && !situation.isStopping && situation.drain === null;
  if (!mayGoOn || !situation.candidates.own(vip.spec).eligible) return { kind: "abandon" };
  if (now >= phase.announceAt) return { kind: "own-unwritten" };
  return { kind: "wait", due: phase.announceAt };
}

function decideOwning(vip: Vip, phase: Owning, situation: Situation, now: BootMs): Action {
  const other = strongestOther(vip, situation);
  if (other !== null && isEnded(other, vip, phase, situation)) {
    const isEven = hasItToo(other.node, phase.epoch, vip, situation);
    const offer = isEven ? null : offerTo(other.node, vip, situation, now);
    // It was asked to, and does not answer yet, whatever the record says: until it does, this does.
    const isTaking = offer?.to === other.node && !offer.isAnnounced;
    const until = isTaking ? takingUntil(vip, offer, other.node, situation) : now;
    if (now < until) return { kind: "wait", due: until };
    const to = `to "${other.node}" at epoch ${formatEpoch(other.epoch)}`;
    const isAsked = offer?.to === other.node;
    if (isAsked) {
      const detail = `${to}: ${offer.why}`;
      return { kind: "yield", cause: "handed-over", detail, conflict: null };
    }
    const conflict = conflictWith(other.node, vip, phase, situation);
    return { kind: "yield", cause: "yielded", detail: to, conflict };
  }
  const { record } = vip;
  if (record?.owner === situation.node && epochOf(record.epoch) > phase.epoch) {
    return { kind: "adopt-epoch" };
  }
  const upkeep = decideUpkeep(vip, phase, situation, now);
  const leave = leaveOf(vip, phase, situation, now);
  const leaving =
    leave.kind === "stay" ? stay(vip, leave.due, now) : decideLeaving(vip, leave, situation, now);
  if (leaving.kind !== "wait") return leaving;
  if (upkeep.kind !== "wait") return upkeep;
  return { kind: "wait", due: earliest(leaving.due, upkeep.due) };
}

function conflictWith(
  node: string,
  { spec }: Vip,
  { interfaces }: Owning,
  { neighbours }: Situation,
): OwnershipEffect | null {
  for (const name of interfaces) {
    const known = neighbours.on(name).get(node);
    if (known?.hearing !== "heard") continue;
    const about = { address: spec.address, interface: name, mac: known.mac };
    return { type: "conflict", ...about, resolution: "peer" };
  }
  return null;
}

/**
 * It answers at this node's own epoch, as its table says, or its claim where no table comes: both
 * claimed the VIP where the other was not heard. What is taken on an offer has a higher epoch: it
 * has nothing to take, and says nothing.
 */
function hasItToo(other: string, epoch: Epoch, vip: Vip, situation: Situation): boolean {
  const claim = situation.wireClaim(vip);
  return claim?.node === other && claim.epoch === epoch && claim.until === NEVER;
}

/** One that was asked before, and is late, gets the time that it would have had. */
function offerTo(node: string, vip: Vip, { timings }: Situation, now: BootMs): Offer | null {
  const { offer } = vip;
  if (offer === null || offer.to === node || !vip.refusedBy.includes(node)) return offer;
  const until = after(now, timings.offerMs);
  vip.offer = { ...offer, to: node, until, repeatAt: NEVER, isAnnounced: false };
  return vip.offer;
}

/** A claim that was given up counts until then: its node has not taken the VIP. */
function takingUntil(vip: Vip, offer: Offer, taker: string, situation: Situation): BootMs {
  const claim = situation.wireClaim(vip);
  const isOnlyClaimed = vip.record?.owner !== taker && claim?.node === taker;
  if (!isOnlyClaimed || claim.until === NEVER) return offer.until;
  return Math.max(offer.until, claim.until) as BootMs;
}

/** The reason to let go of it is gone; whoever was asked may take it all the same. */
function stay(vip: Vip, due: BootMs, now: BootMs): Action {
  if (vip.offer !== null && now < vip.offer.until) {
    return { kind: "wait", due: earliest(due, vip.offer.until) };
  }
  vip.offer = null;
  vip.refusedBy = [];
  return { kind: "wait", due };
}

/** What a tenure needs as long as it lasts: its record, and the right interfaces. */
function decideUpkeep(vip: Vip, phase: Owning, situation: Situation, now: BootMs): Action {
  const own = situation.candidates.own(vip.spec);
  if (situation.isStopping || !own.eligible) return WAIT;
  const { record } = vip;
  const isMine = record?.owner === situation.node;
  const isRecorded = isMine && epochOf(record.epoch) === phase.epoch;
  if (!isRecorded && !phase.isRewriting) return rewriteWhenDue(vip, situation, now);
  if (!sameNames(own.interfaces, phase.interfaces)) {
    return { kind: "regrant", interfaces: own.interfaces };
  }
  return WAIT;
}

/**
 * A tenure that was recorded ends by a higher epoch only: no other can have been recorded at its
 * own. A record that says so was edited by hand, or restored, and is written again. Where it cannot
 * be, and who is named did not hear this node when it took the VIP, both would answer for as long:
 * there the ranks decide, as they do for the other one.
 */
function isEnded(
  other: { readonly node: string; readonly epoch: Epoch },
  vip: Vip,
  { epoch, isRewriting }: Owning,
  situation: Situation,
): boolean {
  const isTied = other.epoch === epoch && holdoverOf(epoch) === 0;
  if (!isTied || vip.record?.owner !== other.node) return beats(other, epoch, vip, situation);
  // A write without an answer may have been done: then the other is about to yield to it.
  const isWritten = situation.isApiInReach || isRewriting || vip.doubt > 0;
  if (isWritten || !isHeardToHave(other.node, vip, situation)) return false;
  return situation.candidates.isBetter(other.node, situation.node, vip.spec);
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

function rewriteWhenDue(vip: Vip, situation: Situation, now: BootMs): Action {
  if (!situation.isApiInReach) return WAIT;
  return now < vip.retryAt ? { kind: "wait", due: vip.retryAt } : { kind: "rewrite" };
}

function decideIdle(vip: Vip, situation: Situation, now: BootMs): Action {
  if (isOutOfPlace(vip, situation, now)) {
    return { kind: "release", cause: "not-eligible", detail: "its tenure lapsed" };
  }
  if (!situation.mayAct || (vip.doubt > 0 && situation.canReadRecords)) return WAIT;
  if (now < vip.yieldedUntil) return { kind: "wait", due: vip.yieldedUntil };
  const own = mayOwn(vip, situation, now);
  // Without the records, a peer that is heard and cannot tell what it has may have this, too.
  const { canReadRecords, neighbours } = situation;
  if (own.ok && !canReadRecords && own.interfaces.some((name) => neighbours.lacksTable(name))) {
    return WAIT;
  }
  const mine = ownEpoch(vip, situation);
  if (mine !== NO_EPOCH) {
    // What was let go of by force is not taken up again because that could not be written.
    const isForcedOut = vip.isLetGo && situation.drain?.force === true;
    if (own.ok && !situation.isStopping && !isForcedOut) {
      return { kind: "resume", interfaces: own.interfaces, epoch: mine };
    }
    if (now < vip.retryAt) return { kind: "wait", due: vip.retryAt };
    return { kind: "release", cause: "not-eligible", detail: own.ok ? "" : own.reason };
  }
  if (situation.isStopping || situation.drain !== null) return WAIT;
  if (!own.ok) return { kind: "wait", due: own.due };
  return decideClaim(vip, own.interfaces, situation, now);
}

/**
 * This process had it until its tenure lapsed, and cannot answer for it any more, as when its
 * interface lost the address: it lets go without listening first, so that others need not find out.
 * Where another has it by now, the write fails.
 */
function isOutOfPlace(
  vip: Vip,
  { candidates, isApiInReach, node }: Situation,
  now: BootMs,
): boolean {
  const hadIt = vip.ownEpoch !== NO_EPOCH && vip.record?.owner === node;
  return hadIt && isApiInReach && now >= vip.retryAt && !candidates.own(vip.spec).eligible;
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
  const isKept = other !== null && isRecordedToo(other, mine, vip, situation);
  return isReleased || isLost || isKept ? NO_EPOCH : mine;
}

/**
 * It is heard to have the VIP at an epoch that the record gives to this node: the record was edited
 * or restored, and the owner, which writes it again, may not reach the API. Whatever their ranks,
 * both would answer until it does.
 */
function isRecordedToo(
  other: { readonly node: string; readonly epoch: Epoch },
  epoch: Epoch,
  vip: Vip,
  situation: Situation,
): boolean {
  const isTied = other.epoch === epoch && holdoverOf(epoch) === 0;
  return isTied && isHeardToHave(other.node, vip, situation);
}

function isHeardToHave(node: string, vip: Vip, situation: Situation): boolean {
  const { candidates, neighbours, isClaimed } = situation;
  const own = candidates.own(vip.spec);
  const isHeard = (name: string): boolean =>
    neighbours.hearing(node, name) === "heard" && isClaimed(vip, { node, interface: name });
  return own.eligible && own.interfaces.some(isHeard);
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
  const { claimStaggerMs, newVipStaggerMs } = situation.timings;
  const staggerMs = vacancy.cause === "unheld" ? newVipStaggerMs : claimStaggerMs;
  const due = Math.max(after(first, position * staggerMs), vip.retryAt) as BootMs;
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
    epoch: nextHoldover(highest),
    announceAt: situation.isHoldover ? now : after(now, situation.timings.claimWaitMs),
  };
}

function sameNames(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((name, index) => name === b[index]);
}

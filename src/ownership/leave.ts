// Why an owner should let go of a VIP, and how: make before break. One node after the other is
// asked to take it over, best first, and the owner goes on until one answers (design, section 4.7).

import type { BootMs } from "../core/time.ts";
import { after, earliest, NEVER } from "../core/time.ts";
import type { Action, Situation } from "./action.ts";
import { ownerOfFirst } from "./followers.ts";
import type { Timings } from "./timings.ts";
import type { LossCause } from "./types.ts";
import type { Phase, Vip } from "./vip.ts";

type Owning = Extract<Phase, { kind: "owning" }>;

export interface Leave {
  readonly kind: "leave";
  /** Whom to ask, best first: those that are heard where it is answered. */
  readonly to: readonly string[];
  readonly segment: string;
  /** In words, for the history. */
  readonly why: string;
  /** Let go of it even when nobody takes it, with this cause; null: then it stays. */
  readonly otherwise: LossCause | null;
  readonly isPaced: boolean;
}

/** `due`: when to look again. */
export interface Stay {
  readonly kind: "stay";
  readonly due: BootMs;
}

export function leaveOf(vip: Vip, phase: Owning, situation: Situation, now: BootMs): Leave | Stay {
  const { drain, node } = situation;
  const segment = phase.interfaces[0] ?? "";
  const own = mayOwn(vip, situation, now);
  const isAsked = situation.isStopping || !own.ok || vip.moveTo !== null || drain !== null;
  const first = ownerOfFirst(vip, situation);
  if (isAsked || first === null || first === node) vip.apartSince = null;
  // Most owners stay, and this is asked for each VIP at every turn: no ranking for them. What
  // follows another VIP goes when that has gone.
  const isCalm = first === node || (first === null && !situation.preempt);
  if (!isAsked && isCalm) return { kind: "stay", due: NEVER };
  // Whoever did not answer lately may do so now: better than nobody where it cannot stay.
  const mustGo = situation.isStopping || !own.ok || drain?.force === true;
  const { able, mute } = takers(vip, segment, situation, now);
  const to = mustGo ? [...able, ...mute] : able;
  const leave = { kind: "leave", to, segment, isPaced: false } as const;
  if (situation.isStopping) return { ...leave, why: "daemon stops", otherwise: "stopping" };
  if (!own.ok) {
    // One that is unhealthy answers for as long as those it asks do not.
    const keeps = situation.candidates.own(vip.spec).eligible && to.length > 0;
    return { ...leave, why: own.reason, otherwise: keeps ? null : "not-eligible" };
  }
  if (vip.moveTo !== null) {
    const target = to.filter((name) => name === vip.moveTo);
    return { ...leave, to: target, why: "moved on request", otherwise: null };
  }
  if (drain !== null) {
    const otherwise = drain.force ? "draining" : null;
    return { ...leave, why: `${node} is drained`, otherwise };
  }
  if (first !== null && mayFollow(vip, leave, first)) {
    return reunion(vip, leave, first, { timings: situation.timings, now });
  }
  vip.apartSince = null;
  return situation.preempt
    ? preemption(vip, leave, situation, now)
    : { kind: "stay", due: muteUntil(vip, now) };
}

/** The owner of the first could have both; one that was mute here would be mute again. */
function mayFollow(vip: Vip, { to }: Pick<Leave, "to">, first: string): boolean {
  return to.includes(first) && vip.mute?.node !== first;
}

/** To the node that has the VIP it follows, once that could have had both for a while. */
function reunion(
  vip: Vip,
  leave: Pick<Leave, "kind" | "to" | "segment">,
  first: string,
  { timings, now }: { readonly timings: Timings; readonly now: BootMs },
): Leave | Stay {
  vip.apartSince ??= now;
  const due = after(vip.apartSince, timings.reunionDelayMs);
  if (now < due) return { kind: "stay", due };
  const why = `"${first}" has ${vip.spec.rankBy}`;
  return { ...leave, to: [first], why, otherwise: null, isPaced: true };
}

/** Back to the node that ranks first, once that is there for a while. */
function preemption(
  vip: Vip,
  leave: Pick<Leave, "kind" | "to" | "segment">,
  { candidates, neighbours, node, timings }: Situation,
  now: BootMs,
): Leave | Stay {
  const first = candidates.ranked(vip.spec, now)[0];
  if (first === undefined || first === node || !leave.to.includes(first)) {
    return { kind: "stay", due: muteUntil(vip, now) };
  }
  const since = neighbours.on(leave.segment).get(first)?.since ?? now;
  const due = after(since, timings.preemptDelayMs);
  if (now < due) return { kind: "stay", due };
  const why = `${first} ranks first`;
  return { ...leave, to: [first], why, otherwise: null, isPaced: true };
}

export function decideLeaving(
  vip: Vip,
  leave: Leave,
  situation: Pick<Situation, "nextMoveAt">,
  now: BootMs,
): Action {
  const { offer } = vip;
  const { to, segment, why, otherwise, isPaced } = leave;
  if (offer !== null && now < offer.until) {
    if (now >= offer.repeatAt) return { kind: "repeat-offer", segment };
    return { kind: "wait", due: earliest(offer.until, offer.repeatAt) };
  }
  if (otherwise === null && now < vip.offerAgainAt) return { kind: "wait", due: vip.offerAgainAt };
  const next = to.find((node) => node !== offer?.to && !vip.refusedBy.includes(node));
  const turn = isPaced ? situation.nextMoveAt() : now;
  if (next !== undefined && now < turn) return { kind: "wait", due: turn };
  if (next !== undefined) return { kind: "offer", to: next, segment, why, isPaced };
  if (otherwise !== null) return { kind: "release", cause: otherwise, detail: why };
  const hasAsked = offer !== null || vip.refusedBy.length > 0 || vip.moveTo !== null;
  return hasAsked ? { kind: "keep" } : { kind: "wait", due: muteUntil(vip, now) };
}

/** When the one that did not answer on the wire may be asked like any other. */
function muteUntil({ mute }: Vip, now: BootMs): BootMs {
  return mute === null || now >= mute.until ? NEVER : mute.until;
}

/**
 * The others that could own the VIP and are heard, best first; apart from them one that owned it
 * and did not answer on the wire.
 */
function takers(
  vip: Vip,
  segment: string,
  { candidates, neighbours, node }: Situation,
  now: BootMs,
): { able: string[]; mute: string[] } {
  const all = candidates
    .ranked(vip.spec, now, segment)
    .filter((other) => other !== node && neighbours.hearing(other, segment) === "heard");
  const isMute = (other: string): boolean => vip.mute?.node === other && now < vip.mute.until;
  return { able: all.filter((other) => !isMute(other)), mute: all.filter(isMute) };
}

/** Eligible, and healthy unless there is nobody healthier, which may change at `due`. */
export function mayOwn(
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

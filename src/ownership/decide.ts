// The decision about one VIP: from what is known now to one action. No state of its own.

import { unreachable } from "../core/invariant.ts";
import type { BootMs } from "../core/time.ts";
import { after, NEVER } from "../core/time.ts";
import type { Candidates } from "./candidates.ts";
import type { Members } from "./members.ts";
import type { Timings } from "./timings.ts";
import type { ClaimCause, LossCause } from "./types.ts";
import type { Vip } from "./vip.ts";

export interface Situation {
  readonly node: string;
  readonly timings: Timings;
  readonly members: Members;
  readonly candidates: Candidates;
  /** The API confirms this node's Lease, and the records were read since the start. */
  readonly mayAct: boolean;
  /** Until then only VIPs whose record names this node are taken. */
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
    }
  /** The record names this node already: answer. */
  | { readonly kind: "resume"; readonly interfaces: readonly string[] }
  /** The interfaces have changed. */
  | { readonly kind: "regrant"; readonly interfaces: readonly string[] }
  /** Stop answering, then write that the VIP is free. */
  | { readonly kind: "release"; readonly cause: LossCause; readonly detail: string }
  /** Stop answering; the record belongs to somebody else. */
  | { readonly kind: "yield"; readonly detail: string }
  /** The record of a VIP that this node owns is gone: write it again. */
  | { readonly kind: "rewrite" }
  | { readonly kind: "read-member"; readonly node: string };

const WAIT: Action = { kind: "wait", due: NEVER };

export function decide(vip: Vip, situation: Situation, now: BootMs): Action {
  switch (vip.phase.kind) {
    case "claiming":
    case "releasing":
      return WAIT;
    case "owning":
      return decideOwning(vip, vip.phase, situation, now);
    case "idle":
      return decideIdle(vip, situation, now);
    default:
      return unreachable(vip.phase);
  }
}

function decideOwning(
  vip: Vip,
  phase: Extract<Vip["phase"], { kind: "owning" }>,
  situation: Situation,
  now: BootMs,
): Action {
  const { record } = vip;
  const isMine = record !== null && record.owner === situation.node;
  if (record !== null && !isMine && record.owner !== null && record.epoch >= phase.epoch) {
    return { kind: "yield", detail: `to "${record.owner}" at epoch ${record.epoch}` };
  }
  if (situation.isStopping) return { kind: "release", cause: "stopping", detail: "daemon stops" };
  const own = mayOwn(vip, situation, now);
  if (!own.ok) return { kind: "release", cause: "not-eligible", detail: own.reason };
  if (!isMine && !phase.isRewriting) return rewriteWhenDue(vip, situation, now);
  if (!sameNames(own.interfaces, phase.interfaces)) {
    return { kind: "regrant", interfaces: own.interfaces };
  }
  return WAIT;
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
  if (!situation.mayAct) return WAIT;
  return now < vip.retryAt ? { kind: "wait", due: vip.retryAt } : { kind: "rewrite" };
}

function decideIdle(vip: Vip, situation: Situation, now: BootMs): Action {
  if (vip.doubt > 0 || !situation.mayAct) return WAIT;
  const own = mayOwn(vip, situation, now);
  if (vip.record?.owner === situation.node) {
    if (own.ok && !situation.isStopping) return { kind: "resume", interfaces: own.interfaces };
    if (now < vip.retryAt) return { kind: "wait", due: vip.retryAt };
    return { kind: "release", cause: "not-eligible", detail: own.ok ? "" : own.reason };
  }
  if (situation.isStopping) return WAIT;
  return own.ok ? decideClaim(vip, situation, now) : { kind: "wait", due: own.due };
}

/** A claim needs a vacancy, the start hold over, and its turn in the ranking. */
function decideClaim(vip: Vip, situation: Situation, now: BootMs): Action {
  const vacancy = vacancyOf(vip, situation, now);
  if (vacancy.kind !== "vacant") {
    vip.vacantSince = null;
    return vacancy;
  }
  vip.vacantSince ??= now;
  const ranked = situation.candidates.ranked(vip.spec, now);
  const position = ranked.indexOf(situation.node);
  const first = Math.max(vip.vacantSince, situation.startHoldUntil) as BootMs;
  const turn = after(first, position * situation.timings.claimStaggerMs);
  const due = Math.max(turn, vip.retryAt) as BootMs;
  if (now < due) return { kind: "wait", due };
  return { kind: "claim", cause: vacancy.cause, previousOwner: vip.record?.owner ?? null };
}

function vacancyOf(
  vip: Vip,
  { members }: Situation,
  now: BootMs,
): { kind: "vacant"; cause: ClaimCause } | Extract<Action, { kind: "wait" | "read-member" }> {
  if (vip.record === null) return { kind: "vacant", cause: "unheld" };
  const { owner } = vip.record;
  if (owner === null) return { kind: "vacant", cause: "released" };
  switch (members.status(owner, now)) {
    case "alive":
      return { kind: "wait", due: members.deadline(owner, now) };
    case "suspect":
      if (members.shouldRead(owner, now)) return { kind: "read-member", node: owner };
      return { kind: "wait", due: members.deadline(owner, now) };
    case "down":
      return { kind: "vacant", cause: "owner-down" };
    case "stopped":
      return { kind: "vacant", cause: "owner-stopped" };
  }
}

function sameNames(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((name, index) => name === b[index]);
}

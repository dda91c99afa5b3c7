// Whether a VIP is free to be claimed, and if not, when to look again: nobody has it, its holder
// released it or asks this node to take it, or is down by the evidence that design 4.4 asks for.

import type { Epoch } from "../core/epoch.ts";
import { epochOf } from "../core/epoch.ts";
import type { BootMs } from "../core/time.ts";
import { earliest, NEVER } from "../core/time.ts";
import type { Action, Situation } from "./action.ts";
import type { Members } from "./members.ts";
import type { ClaimCause } from "./types.ts";
import type { Vip } from "./vip.ts";

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

export type Vacancy =
  | {
      readonly kind: "vacant";
      readonly cause: ClaimCause;
      readonly holder: { readonly node: string; readonly epoch: Epoch } | null;
    }
  | Extract<Action, { kind: "wait" | "read-member" }>;

export function vacancyOf(vip: Vip, segment: string, situation: Situation, now: BootMs): Vacancy {
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
  if (vip.mute?.epoch === holder.epoch && now < vip.mute.claimUntil) {
    return { kind: "vacant", cause: "owner-mute", holder };
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
    case "unproven":
      return { kind: "wait", due: until };
    case "answers":
      // A host whose beacons are filtered lives, while its Lease does or cannot be read.
      if (!situation.isApiInReach) return { kind: "wait", due: until };
      break;
    case "silent": {
      const isMissed = vip.heardHolder === holder || neighbours.isExpected(holder, segment);
      if (isMissed && neighbours.mayJudge(holder, segment)) {
        return { kind: "vacant", cause: "owner-silent" };
      }
      break;
    }
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
  const isPerhapsThere = hearing === "heard" || hearing === "answers" || hearing === "unproven";
  if (isPerhapsThere) return { kind: "wait", due: NEVER };
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

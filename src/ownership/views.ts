// What others read of the ownership machine.

import type { Ip } from "../core/address.ts";
import type { Situation } from "./action.ts";
import type { Verdict } from "./candidates.ts";
import type { Serving, VipRecord } from "./types.ts";
import { strongestOther } from "./vacancy.ts";
import type { Vip } from "./vip.ts";

/** A silent node is asked for some of its VIPs, not for all. */
const PROBE_TARGETS_MAX = 8;

/** What `explain` tells of a VIP. */
export interface VipView {
  readonly address: Ip;
  readonly phase: Vip["phase"];
  readonly record: VipRecord | null;
  readonly serving: Serving;
  /** Best-ranked first. */
  readonly verdicts: readonly Verdict[];
}

export function viewOf({ spec, phase, record }: Vip, verdicts: readonly Verdict[]): VipView {
  return { address: spec.address, phase, record, serving: spec.serving, verdicts };
}

/** By node: some VIPs that it has by the record or on the wire. */
export function probeTargets(
  vips: Iterable<Vip>,
  situation: Pick<Situation, "node" | "wireClaim">,
): Map<string, readonly Ip[]> {
  const targets = new Map<string, readonly Ip[]>();
  for (const vip of vips) {
    if (vip.phase.kind === "owning") continue;
    const holder = strongestOther(vip, situation)?.node;
    const known = holder === undefined ? [] : (targets.get(holder) ?? []);
    if (holder === undefined || known.length >= PROBE_TARGETS_MAX) continue;
    targets.set(holder, [...known, vip.spec.address]);
  }
  return targets;
}

// What others read of the ownership machine.

import type { Ip } from "../core/address.ts";
import type { Verdict } from "./candidates.ts";
import type { Situation } from "./decide.ts";
import { strongestOther } from "./decide.ts";
import type { VipRecord } from "./types.ts";
import type { Vip } from "./vip.ts";

/** A silent node is asked for some of its VIPs, not for all. */
const PROBE_TARGETS_MAX = 8;

/** What `explain` tells of a VIP. */
export interface VipView {
  readonly address: Ip;
  readonly phase: Vip["phase"];
  readonly record: VipRecord | null;
  /** Best-ranked first. */
  readonly verdicts: readonly Verdict[];
}

/** By node: some VIPs that it has by the record or on the wire. */
export function probeTargets(
  vips: Iterable<Vip>,
  situation: Pick<Situation, "node" | "wireClaim">,
): Map<string, readonly Ip[]> {
  const targets = new Map<string, readonly Ip[]>();
  for (const vip of vips) {
    const holder = strongestOther(vip, situation)?.node;
    const known = holder === undefined ? [] : (targets.get(holder) ?? []);
    if (holder === undefined || known.length >= PROBE_TARGETS_MAX) continue;
    targets.set(holder, [...known, vip.spec.address]);
  }
  return targets;
}

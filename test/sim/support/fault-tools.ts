// What the kinds of faults have in common: where they strike, and for how long.

import type { Cluster } from "./cluster.ts";
import type { Fault } from "./harm.ts";
import type { SimNode } from "./node.ts";
import type { Segment } from "./segment.ts";

/** A node whose process runs. */
export function pickUp(cluster: Cluster): SimNode | null {
  const up = cluster.nodes.filter((node) => node.isUp);
  return up.length === 0 ? null : cluster.prng.pick(up);
}

export function pickSegment({ prng, segments }: Cluster): { segment: Segment; name: string } {
  const segment = prng.pick(segments);
  return { segment, name: `on ${segments.indexOf(segment)}` };
}

/** How long the fault lasts. */
export function duration(cluster: Cluster, fault: Fault, max: number): number {
  return lasting(cluster, fault, drawMs(cluster, max));
}

export function lasting({ queue }: Cluster, fault: Fault, ms: number): number {
  fault.endsAt = Math.max(fault.endsAt, queue.now + ms);
  return ms;
}

/** Around the bounds of the timings as often as anywhere else. */
function drawMs(cluster: Cluster, max: number): number {
  const { prng } = cluster;
  const { renewDeadlineMs, leaseDurationMs, holdMs } = cluster.timings;
  const edge = prng.pick([renewDeadlineMs, leaseDurationMs]);
  if (prng.chance(0.3)) return holdMs * prng.between(2 / 3, 2);
  return prng.chance(0.3) ? edge + prng.between(-600, 600) : prng.between(20, max);
}

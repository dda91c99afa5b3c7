// What must go well when nothing else goes on: planned moves and restarts, of which nobody outside
// notices anything, and the death of an owner, which is made good in the detection time.

import type { Cluster } from "./cluster.ts";
import { UNCOUNTED } from "./harm.ts";
import type { SimNode } from "./node.ts";
import type { VipPlan } from "./topology.ts";
import { type Invariant, Violation } from "./violation.ts";

/** Long enough for every offer, and for the process to end. */
const HANDOVER_MS = 1_500;
/** A process that begins and is ready to listen. */
const START_MS = 1_200;
/** Larger clusters take too long to die out. */
const ONE_BY_ONE_MAX = 4;
/** An offer that nobody takes, by the slowest clock. */
const REFUSED_MS = 1_100;

export function playQuietStories(cluster: Cluster): void {
  stop(cluster);
  if (cluster.bounds.awayMs > 0) restart(cluster);
  // Who was mute is not asked to take over what a drained node has: that may stay where it is.
  if (cluster.muted.size === 0) drain(cluster);
  const ends = [crash, goMute];
  if (cluster.nodes.length <= ONE_BY_ONE_MAX) ends.push(oneByOne);
  if (cluster.settings.restartHoldMs > 0) ends.push(...RESTARTS);
  cluster.prng.pick(ends)(cluster);
}

function stop(cluster: Cluster): void {
  const node = ownerOf(cluster);
  cluster.note(`${node.name} is stopped`);
  node.stop();
  mustBeAnswered(cluster, HANDOVER_MS, "handed-over");
  node.start();
  cluster.run(cluster.bounds.settleMs);
  cluster.oracle.checkHealed();
}

/** Nothing moves, and who asks for the owner is told where it is. */
function restart(cluster: Cluster): void {
  const node = ownerOf(cluster);
  const before = recordsOf(cluster);
  cluster.note(`${node.name} restarts`);
  const awayMs = Math.min(START_MS, cluster.bounds.awayMs);
  node.restart(awayMs);
  const { holdMs } = cluster.timings;
  mustBeAnswered(cluster, awayMs + 2 * holdMs + HANDOVER_MS, "restart-keeps");
  cluster.run(cluster.bounds.settleMs);
  cluster.oracle.checkHealed();
  const after = recordsOf(cluster);
  // It goes back to the node that ranks first once that does not count as mute any more.
  const mayMove = cluster.settings.preempt && cluster.muted.size > 0;
  if (before === after || mayMove) return;
  throw new Violation("restart-keeps", `${before} became ${after} when ${node.name} restarted`);
}

/** Some of those that are asked may be stuck. */
function drain(cluster: Cluster): void {
  const node = ownerOf(cluster);
  const others = cluster.nodes.filter((other) => other !== node);
  // For each VIP there is one that is not.
  const takers = cluster.vips.map((vip) => others.find((other) => cluster.canHave(other, vip)));
  const stuck = cluster.prng.chance(0.5) ? others.filter((other) => !takers.includes(other)) : [];
  for (const other of stuck) other.stall();
  cluster.note(`${node.name} is drained, ${stuck.length} of the others are stuck`);
  node.setDraining(true, cluster.prng.chance(0.5));
  mustBeAnswered(cluster, HANDOVER_MS + stuck.length * REFUSED_MS, "handed-over");
  const left = cluster.vips.filter((vip) => cluster.answering(vip).includes(node.name));
  if (left.length > 0)
    throw new Violation("handed-over", `${node.name}, drained, has ${names(left)}`);
  for (const other of stuck) other.wake();
  cluster.run(cluster.bounds.settleMs);
  cluster.oracle.checkHealed();
  node.setDraining(false);
  cluster.run(cluster.bounds.settleMs);
  cluster.oracle.checkHealed();
}

function crash(cluster: Cluster): void {
  const node = ownerOf(cluster);
  cluster.note(`${node.name} dies`);
  const able = ableNow(cluster);
  node.crash();
  mustBeReplaced(cluster, node, cluster.bounds.replacedMs, able);
}

/** It owns, its beacons are heard, and it answers nobody: the others see that, and take over. */
function goMute(cluster: Cluster): void {
  const node = ownerOf(cluster);
  // What was taken so lately is not taken so again.
  const owned = cluster.vips.filter((vip) => cluster.answering(vip).includes(node.name));
  const vips = owned.filter(({ address }) => !cluster.muted.has(address));
  cluster.note(`${node.name} is mute`);
  for (const segment of cluster.segments) segment.mark("arpMute", node.port, UNCOUNTED);
  if (vips.length > 0) cluster.oracle.judges("mute-replaced");
  cluster.run(cluster.bounds.muteMs);
  const left = vips.filter((vip) => cluster.answering(vip).includes(node.name));
  if (left.length > 0) throw new Violation("mute-replaced", `${node.name} has ${names(left)}`);
}

/** Each is forgotten before the next one dies: 3, 2, 1, and the last one has everything. */
function oneByOne(cluster: Cluster): void {
  const isLeft = (vip: VipPlan): boolean => ableFor(cluster, vip).length > 1;
  while (cluster.vips.every(isLeft)) crash(cluster);
}

/** Its peers were asked to leave it what it has: its host must show that it is there. */
function crashWhileRestarting(cluster: Cluster): void {
  const node = ownerOf(cluster);
  cluster.note(`${node.name} restarts, and dies meanwhile`);
  const able = ableNow(cluster);
  node.restart(START_MS);
  cluster.run(START_MS / 2);
  node.crash();
  mustBeReplaced(cluster, node, cluster.bounds.missedMs, able);
}

/** The host is well, but its daemon does not come back. */
function restartInVain(cluster: Cluster): void {
  const node = ownerOf(cluster);
  cluster.note(`${node.name} restarts, and does not come back`);
  const able = ableNow(cluster);
  node.restart(Number.MAX_SAFE_INTEGER);
  mustBeReplaced(cluster, node, cluster.bounds.restartMs, able);
}

const RESTARTS = [crashWhileRestarting, restartInVain];

/** Those that are left take over; one that is alone then needs a gateway, or waits for a Lease. */
function mustBeReplaced(cluster: Cluster, { name }: SimNode, ms: number, able: Able): void {
  const inTime = cluster.vips.filter((vip) => cluster.hasGateway || (able.get(vip) ?? 0) > 2);
  if (inTime.length > 0) {
    cluster.oracle.judges("replaced-in-time");
    cluster.run(ms);
    const silent = inTime.filter((vip) => cluster.answering(vip).length !== 1);
    if (silent.length > 0) {
      const detail = `${ms} ms after ${name} died, not one answers for ${names(silent)}`;
      throw new Violation("replaced-in-time", detail);
    }
  }
  cluster.run(ms + cluster.bounds.healMs);
  cluster.oracle.checkHealed();
}

/** At every moment of so long. */
function mustBeAnswered(cluster: Cluster, forMs: number, invariant: Invariant): void {
  cluster.oracle.judges(invariant);
  for (let ms = 0; ms < forMs; ms += 1) {
    cluster.run(1);
    const silent = cluster.vips.filter((vip) => !cluster.isAnswered(vip));
    if (silent.length === 0) continue;
    throw new Violation(invariant, `${ms} ms later: silence for ${names(silent)}`);
  }
}

/** By VIP: how many nodes are there that could have it. */
type Able = ReadonlyMap<VipPlan, number>;

function ableNow(cluster: Cluster): Able {
  return new Map(cluster.vips.map((vip) => [vip, ableFor(cluster, vip).length]));
}

function ableFor(cluster: Cluster, vip: VipPlan): SimNode[] {
  return cluster.nodes.filter((node) => node.isUp && cluster.canHave(node, vip));
}

function ownerOf(cluster: Cluster): SimNode {
  const [vip] = cluster.vips;
  return cluster.node((vip && cluster.answering(vip)[0]) ?? "");
}

function recordsOf({ api, addresses }: Cluster): string {
  return addresses
    .map((address) => `${address} ${api.vip(address)?.owner} ${api.vip(address)?.epoch}`)
    .join(", ");
}

function names(vips: readonly VipPlan[]): string {
  return vips.map(({ address }) => address).join(" ");
}

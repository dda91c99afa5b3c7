// What must go well when nothing else goes on: planned moves and restarts, of which nobody outside
// notices anything, and the death of an owner, which is made good in the detection time.

import type { Ip } from "../../../src/core/address.ts";
import type { Cluster } from "./cluster.ts";
import type { SimNode } from "./node.ts";
import { type Invariant, Violation } from "./violation.ts";

/**
 * The Lease of a node that does not come back, its confirmation, a claim that has to be repeated,
 * and a watch that is listed anew.
 */
export const HEAL_MS = 45_000;
/** Long enough for every offer, and for the process to end. */
const HANDOVER_MS = 1_500;
/** A restarted node is heard, and past its start hold. */
const SETTLE_MS = 8_000;
/** Hold 300, staggered claims, the write or its deadline, all by the slowest clock. */
const REPLACED_MS = 550;
/** A process that begins and is ready to listen. */
const START_MS = 1_200;
/** An offer that nobody takes, by the slowest clock. */
const REFUSED_MS = 1_100;
/** The hold of a restart by the slowest clock, the last beacons before, and REPLACED_MS. */
const RESTART_MS_MAX = 11_500;
/** Three requests that nobody answers, the one before them, and what REPLACED_MS has beside it. */
const MISSED_MS = 750;

export function playQuietStories(cluster: Cluster): void {
  stop(cluster);
  restart(cluster);
  drain(cluster);
  cluster.prng.pick([crash, crashWhileRestarting, restartInVain])(cluster);
}

function stop(cluster: Cluster): void {
  const node = ownerOf(cluster);
  cluster.note(`${node.name} is stopped`);
  node.stop();
  mustBeAnswered(cluster, HANDOVER_MS, "handed-over");
  node.start();
  cluster.run(SETTLE_MS);
  cluster.oracle.checkHealed();
}

/** Nothing moves, and who asks for the owner is told where it is. */
function restart(cluster: Cluster): void {
  const node = ownerOf(cluster);
  const before = recordsOf(cluster);
  cluster.note(`${node.name} restarts`);
  node.restart(START_MS);
  mustBeAnswered(cluster, START_MS + HANDOVER_MS, "restart-keeps");
  cluster.run(SETTLE_MS);
  cluster.oracle.checkHealed();
  const after = recordsOf(cluster);
  if (before === after) return;
  throw new Violation("restart-keeps", `${before} became ${after} when ${node.name} restarted`);
}

/** Some of those that are asked may be stuck. */
function drain(cluster: Cluster): void {
  const node = ownerOf(cluster);
  const others = cluster.nodes.filter((other) => other !== node);
  const stuck = cluster.prng.chance(0.5) ? others.slice(1) : [];
  for (const other of stuck) other.stall();
  cluster.note(`${node.name} is drained, ${stuck.length} of the others are stuck`);
  node.setDraining(true);
  mustBeAnswered(cluster, HANDOVER_MS + stuck.length * REFUSED_MS, "handed-over");
  const left = cluster.addresses.filter((address) => node.answers(address));
  if (left.length > 0) throw new Violation("handed-over", `${node.name}, drained, has ${left}`);
  for (const other of stuck) other.wake();
  cluster.run(SETTLE_MS);
  cluster.oracle.checkHealed();
  node.setDraining(false);
  cluster.run(SETTLE_MS);
  cluster.oracle.checkHealed();
}

function crash(cluster: Cluster): void {
  const node = ownerOf(cluster);
  cluster.note(`${node.name} dies`);
  node.crash();
  mustBeReplaced(cluster, node, REPLACED_MS);
}

/** Its peers were asked to leave it what it has: its host must show that it is there. */
function crashWhileRestarting(cluster: Cluster): void {
  const node = ownerOf(cluster);
  cluster.note(`${node.name} restarts, and dies meanwhile`);
  node.restart(START_MS);
  cluster.run(START_MS / 2);
  node.crash();
  mustBeReplaced(cluster, node, MISSED_MS);
}

/** The host is well, but its daemon does not come back. */
function restartInVain(cluster: Cluster): void {
  const node = ownerOf(cluster);
  cluster.note(`${node.name} restarts, and does not come back`);
  node.restart(Number.MAX_SAFE_INTEGER);
  mustBeReplaced(cluster, node, RESTART_MS_MAX);
}

/** Those that are left take over; one that is alone then needs a gateway, or waits for a Lease. */
function mustBeReplaced(cluster: Cluster, { name }: SimNode, ms: number): void {
  if (cluster.nodes.length > 2 || cluster.hasGateway) {
    cluster.run(ms);
    const silent = cluster.addresses.filter((address) => cluster.answering(address).length !== 1);
    if (silent.length > 0) {
      const detail = `${ms} ms after ${name} died, not one answers for ${silent}`;
      throw new Violation("replaced-in-time", detail);
    }
  }
  cluster.run(HEAL_MS);
  cluster.oracle.checkHealed();
}

/** At every moment of so long. */
function mustBeAnswered(cluster: Cluster, forMs: number, invariant: Invariant): void {
  for (let ms = 0; ms < forMs; ms += 1) {
    cluster.run(1);
    const silent = cluster.addresses.filter((address) => !cluster.isAnswered(address));
    if (silent.length > 0) throw new Violation(invariant, `${ms} ms later: silence for ${silent}`);
  }
}

function ownerOf(cluster: Cluster): SimNode {
  return cluster.node(cluster.answering(cluster.addresses[0] as Ip)[0] ?? "");
}

function recordsOf({ api, addresses }: Cluster): string {
  return addresses
    .map((address) => `${address} ${api.vip(address)?.owner} ${api.vip(address)?.epoch}`)
    .join(", ");
}

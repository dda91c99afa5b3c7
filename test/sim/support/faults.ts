// What goes wrong. Each kind does its harm, and undoes it after a while; healing undoes the rest.

import type { Cluster } from "./cluster.ts";
import type { SimNode } from "./node.ts";

export interface FaultKind {
  readonly name: string;
  readonly weight: number;
  /** Says what was done, or null when there was nothing to do. */
  readonly inject: (cluster: Cluster) => string | null;
}

export const FAULTS: readonly FaultKind[] = [
  { name: "crash", weight: 3, inject: crash },
  { name: "kill", weight: 1, inject: kill },
  { name: "stop", weight: 2, inject: stop },
  { name: "restart", weight: 3, inject: restart },
  { name: "drain", weight: 2, inject: drain },
  { name: "move", weight: 1, inject: move },
  { name: "endpoints-changed", weight: 2, inject: endpointsChanged },
  { name: "freeze", weight: 4, inject: freeze },
  { name: "stall", weight: 2, inject: stall },
  { name: "api-cut", weight: 4, inject: apiCut },
  { name: "api-outage", weight: 2, inject: apiOutage },
  { name: "api-slow", weight: 2, inject: apiSlow },
  { name: "answers-lost", weight: 2, inject: answersLost },
  { name: "watch-stalled", weight: 3, inject: watchStalled },
  { name: "carrier-lost", weight: 2, inject: carrierLost },
  { name: "partition", weight: 2, inject: partition },
  { name: "deaf", weight: 1, inject: (cluster) => marked(cluster, "deaf") },
  { name: "mute", weight: 1, inject: (cluster) => marked(cluster, "mute") },
  { name: "beacons-filtered", weight: 2, inject: (cluster) => marked(cluster, "filtered") },
  { name: "one-way", weight: 1, inject: oneWay },
  { name: "frames-doubled", weight: 1, inject: framesDoubled },
  { name: "frames-late", weight: 1, inject: framesLate },
  { name: "short-pause", weight: 3, inject: shortPause },
  { name: "reboot-all", weight: 0.3, inject: rebootAll },
  { name: "frames-lost", weight: 2, inject: framesLost },
  { name: "node-forbidden", weight: 1, inject: nodeForbidden },
  { name: "node-unhealthy", weight: 1, inject: nodeUnhealthy },
  { name: "vip-lease-deleted", weight: 0.3, inject: vipLeaseDeleted },
  { name: "vip-lease-edited", weight: 0.3, inject: vipLeaseEdited },
  { name: "node-lease-deleted", weight: 0.3, inject: nodeLeaseDeleted },
  { name: "node-lease-edited", weight: 0.3, inject: nodeLeaseEdited },
];

/** Injects one fault, chosen by weight among `kinds`. */
export function injectOne(cluster: Cluster, kinds: readonly FaultKind[]): FaultKind | null {
  const total = kinds.reduce((sum, kind) => sum + kind.weight, 0);
  let point = cluster.prng.float() * total;
  const chosen = kinds.find((kind) => {
    point -= kind.weight;
    return point < 0;
  });
  const what = chosen?.inject(cluster) ?? null;
  if (chosen === undefined || what === null) return null;
  cluster.note(`fault ${chosen.name}: ${what}`);
  return chosen;
}

function crash(cluster: Cluster): string | null {
  const node = pickUp(cluster);
  if (node === null) return null;
  node.crash();
  const ms = duration(cluster, 30_000);
  cluster.queue.after(ms, () => node.start());
  return `${node.name} for ${Math.round(ms)} ms`;
}

function kill(cluster: Cluster): string | null {
  const node = pickUp(cluster);
  if (node === null) return null;
  node.kill();
  const ms = duration(cluster, 10_000);
  cluster.queue.after(ms, () => node.start());
  return `${node.name} for ${Math.round(ms)} ms`;
}

/** Some of them take longer than the peers wait. */
function restart(cluster: Cluster): string | null {
  const node = pickUp(cluster);
  if (node === null || node.isStalled || cluster.settings.restartHoldMs === 0) return null;
  const ms = duration(cluster, 12_000);
  node.restart(ms);
  return `${node.name} for ${Math.round(ms)} ms`;
}

function drain(cluster: Cluster): string | null {
  const node = pickUp(cluster);
  if (node === null || node.isDraining) return null;
  const force = cluster.prng.chance(0.3);
  node.setDraining(true, force);
  cluster.queue.after(duration(cluster, 30_000), () => node.setDraining(false));
  return force ? `${node.name} by force` : node.name;
}

function move(cluster: Cluster): string | null {
  const { prng } = cluster;
  const address = prng.pick(cluster.addresses);
  const from = cluster.answering(address)[0];
  const to = prng.pick(cluster.nodes).name;
  if (from === undefined || from === to) return null;
  cluster.node(from).move(address, to);
  return `${address} from ${from} to ${to}`;
}

/** As in a rollout: pods come and go, the last one of a node serves while it terminates. */
function endpointsChanged(cluster: Cluster): string {
  const { prng, queue } = cluster;
  const address = prng.pick(cluster.addresses);
  const states = ["ready", "terminating", null] as const;
  const serving = new Map<string, "ready" | "terminating">();
  for (const { name } of cluster.nodes) {
    const state = prng.pick(states);
    if (state !== null) serving.set(name, state);
  }
  cluster.setServing(address, serving);
  queue.after(duration(cluster, 20_000), () => cluster.setServing(address, "everywhere"));
  return `${address}: ${[...serving].map((entry) => entry.join(" ")).join(", ") || "none"}`;
}

function stop(cluster: Cluster): string | null {
  const node = pickUp(cluster);
  if (node === null) return null;
  node.stop();
  cluster.queue.after(5_000 + duration(cluster, 20_000), () => node.start());
  return node.name;
}

function freeze(cluster: Cluster): string | null {
  const isBetween = cluster.prng.chance(0.3);
  return pause(cluster, (node) => (isBetween ? node.freezeAtNextSend() : node.freeze()));
}

function stall(cluster: Cluster): string | null {
  return pause(cluster, (node) => node.stall());
}

function pause(cluster: Cluster, begin: (node: SimNode) => void): string | null {
  const node = pickUp(cluster);
  if (node === null || node.isStalled) return null;
  begin(node);
  const ms = duration(cluster, 40_000);
  cluster.queue.after(ms, () => node.wake());
  return `${node.name} for ${Math.round(ms)} ms`;
}

function apiCut(cluster: Cluster): string {
  const node = cluster.prng.pick(cluster.nodes);
  return cutOff(cluster, [node]);
}

function apiOutage(cluster: Cluster): string {
  return cutOff(cluster, cluster.nodes);
}

function cutOff(cluster: Cluster, nodes: readonly SimNode[]): string {
  for (const node of nodes) node.link.down();
  const ms = duration(cluster, 60_000);
  cluster.queue.after(ms, () => {
    for (const node of nodes) node.link.up();
  });
  return `${nodes.map((node) => node.name)} for ${Math.round(ms)} ms`;
}

function apiSlow(cluster: Cluster): string {
  const node = cluster.prng.pick(cluster.nodes);
  node.link.extraLatencyMs = cluster.prng.pick([50, 500, 2_500]);
  const ms = duration(cluster, 40_000);
  cluster.queue.after(ms, () => {
    node.link.extraLatencyMs = 0;
  });
  return `${node.name} by ${node.link.extraLatencyMs} ms for ${Math.round(ms)} ms`;
}

function answersLost(cluster: Cluster): string {
  const node = cluster.prng.pick(cluster.nodes);
  node.link.answerLoss = cluster.prng.pick([0.3, 0.7, 1]);
  const ms = duration(cluster, 30_000);
  cluster.queue.after(ms, () => {
    node.link.answerLoss = 0;
  });
  return `${node.name} for ${Math.round(ms)} ms`;
}

function watchStalled(cluster: Cluster): string {
  const node = cluster.prng.pick(cluster.nodes);
  const ms = duration(cluster, 60_000);
  node.link.stallWatch(ms);
  return `${node.name} for ${Math.round(ms)} ms`;
}

function carrierLost(cluster: Cluster): string | null {
  const node = cluster.prng.pick(cluster.nodes);
  if (!cluster.segment.hasCarrier(node.port)) return null;
  cluster.setCarrier(node, false);
  const ms = duration(cluster, 30_000);
  cluster.queue.after(ms, () => cluster.setCarrier(node, true));
  return `${node.name} for ${Math.round(ms)} ms`;
}

function partition(cluster: Cluster): string {
  const groups = cluster.nodes.map(() => cluster.prng.int(0, 1));
  cluster.segment.partition(groups);
  const ms = duration(cluster, 60_000);
  cluster.queue.after(ms, () => cluster.segment.partition(groups.map(() => 0)));
  return `${groups} for ${Math.round(ms)} ms`;
}

function marked(cluster: Cluster, kind: "deaf" | "mute" | "filtered"): string {
  const { segment, queue, prng } = cluster;
  const node = prng.pick(cluster.nodes);
  segment.mark(kind, node.port, true);
  queue.after(duration(cluster, 30_000), () => segment.mark(kind, node.port, false));
  return node.name;
}

function oneWay(cluster: Cluster): string | null {
  const { segment, queue, prng } = cluster;
  const [from, to] = [prng.pick(cluster.nodes), prng.pick(cluster.nodes)];
  if (from === to) return null;
  segment.cutOneWay(from.port, to.port, true);
  const ms = duration(cluster, 30_000);
  queue.after(ms, () => segment.cutOneWay(from.port, to.port, false));
  return `${from.name} to ${to.name}`;
}

function framesDoubled(cluster: Cluster): string {
  cluster.segment.duplication = 0.5;
  cluster.queue.after(duration(cluster, 30_000), () => {
    cluster.segment.duplication = 0;
  });
  return "half of them";
}

/** Late ones are overtaken by those that are not. */
function framesLate(cluster: Cluster): string {
  cluster.segment.lateness = 0.3;
  cluster.queue.after(duration(cluster, 30_000), () => {
    cluster.segment.lateness = 0;
  });
  return "a third of them";
}

/** As a garbage collection or a busy hypervisor does: no reason to lose anything. */
function shortPause(cluster: Cluster): string | null {
  const node = pickUp(cluster);
  if (node === null || node.isStalled) return null;
  node.freeze();
  cluster.queue.after(cluster.prng.between(1, 150), () => node.wake());
  return node.name;
}

function rebootAll(cluster: Cluster): string {
  for (const node of cluster.nodes) {
    node.crash();
    cluster.queue.after(duration(cluster, 20_000), () => node.start());
  }
  return "all";
}

function framesLost(cluster: Cluster): string {
  cluster.segment.loss = cluster.prng.pick([0.1, 0.5, 0.9]);
  cluster.queue.after(duration(cluster, 30_000), () => {
    cluster.segment.loss = 0;
  });
  return String(cluster.segment.loss);
}

function nodeForbidden(cluster: Cluster): string {
  const { name } = cluster.prng.pick(cluster.nodes);
  cluster.setPlacement(name, { allowed: false, reason: "not selected" });
  placeLater(cluster, name);
  return name;
}

function nodeUnhealthy(cluster: Cluster): string {
  const { name } = cluster.prng.pick(cluster.nodes);
  cluster.setPlacement(name, { allowed: true, interfaces: null, unhealthy: "not Ready" });
  placeLater(cluster, name);
  return name;
}

function placeLater(cluster: Cluster, name: string): void {
  cluster.queue.after(duration(cluster, 30_000), () =>
    cluster.setPlacement(name, { allowed: true, interfaces: null, unhealthy: null }),
  );
}

function vipLeaseDeleted(cluster: Cluster): string | null {
  const address = cluster.prng.pick(cluster.addresses);
  const record = cluster.api.vip(address);
  if (record === null) return null;
  cluster.api.remove({ kind: "vip", record });
  return address;
}

/** To another owner, to none, or to a name that nobody has; never to a lower epoch. */
function vipLeaseEdited(cluster: Cluster): string | null {
  const { prng } = cluster;
  const address = prng.pick(cluster.addresses);
  const record = cluster.api.vip(address);
  if (record === null) return null;
  const owner = prng.pick([null, "nobody", ...cluster.nodes.map((node) => node.name)]);
  const epoch = record.epoch + prng.int(0, 3);
  cluster.api.edit({ kind: "vip", record: { ...record, owner, epoch } });
  return `${address} to ${owner} at ${epoch}`;
}

function nodeLeaseDeleted(cluster: Cluster): string | null {
  const { name } = cluster.prng.pick(cluster.nodes);
  const record = cluster.api.member(name);
  if (record === null) return null;
  cluster.api.remove({ kind: "member", record });
  return name;
}

function nodeLeaseEdited(cluster: Cluster): string | null {
  const { name } = cluster.prng.pick(cluster.nodes);
  const record = cluster.api.member(name);
  if (record === null) return null;
  cluster.api.edit({ kind: "member", record: { ...record, holder: null } });
  return name;
}

function pickUp(cluster: Cluster): SimNode | null {
  const up = cluster.nodes.filter((node) => node.isUp);
  return up.length === 0 ? null : cluster.prng.pick(up);
}

/** Around the bounds of the timings as often as anywhere else. */
function duration(cluster: Cluster, max: number): number {
  const { prng } = cluster;
  const { renewDeadlineMs, leaseDurationMs, holdMs } = cluster.timings;
  const edge = prng.pick([renewDeadlineMs, leaseDurationMs]);
  if (prng.chance(0.3)) return holdMs * prng.between(2 / 3, 2);
  return prng.chance(0.3) ? edge + prng.between(-600, 600) : prng.between(20, max);
}

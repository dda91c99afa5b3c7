// What goes wrong. Each kind does its harm, and undoes it after a while; healing undoes the rest.

import type { Cluster } from "./cluster.ts";
import { duration, lasting, pickSegment, pickUp } from "./fault-tools.ts";
import { foreignHost, ownerMute, poolChanged } from "./faults-outside.ts";
import { Fault } from "./harm.ts";
import type { SimNode } from "./node.ts";

export interface FaultKind {
  readonly name: string;
  readonly weight: number;
  /** Says what was done, or null when there was nothing to do. */
  readonly inject: (cluster: Cluster, fault: Fault) => string | null;
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
  { name: "deaf", weight: 1, inject: marked("deaf") },
  { name: "mute", weight: 1, inject: marked("mute") },
  { name: "beacons-filtered", weight: 2, inject: marked("filtered") },
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
  { name: "foreign-host", weight: 1, inject: foreignHost },
  { name: "owner-mute", weight: 1, inject: ownerMute },
  { name: "pool-changed", weight: 1, inject: poolChanged },
];

/** Injects one fault, chosen by weight among `kinds`. */
export function injectOne(cluster: Cluster, kinds: readonly FaultKind[]): void {
  const total = kinds.reduce((sum, kind) => sum + kind.weight, 0);
  let point = cluster.prng.float() * total;
  const chosen = kinds.find((kind) => {
    point -= kind.weight;
    return point < 0;
  });
  if (chosen === undefined) return;
  const fault = new Fault(chosen.name, cluster.queue.now);
  const what = chosen.inject(cluster, fault);
  if (what === null) return;
  cluster.ledger.add(fault);
  cluster.noteFault(`${chosen.name}: ${what}`);
}

function crash(cluster: Cluster, fault: Fault): string | null {
  const node = pickUp(cluster);
  if (node === null) return null;
  node.crash(fault);
  const ms = duration(cluster, fault, 30_000);
  cluster.queue.after(ms, () => node.start());
  return `${node.name} for ${Math.round(ms)} ms`;
}

function kill(cluster: Cluster, fault: Fault): string | null {
  const node = pickUp(cluster);
  if (node === null) return null;
  node.kill(fault);
  const ms = duration(cluster, fault, 10_000);
  cluster.queue.after(ms, () => node.start());
  return `${node.name} for ${Math.round(ms)} ms`;
}

/** Some of them take longer than the peers wait. */
function restart(cluster: Cluster, fault: Fault): string | null {
  const node = pickUp(cluster);
  if (node === null || node.isStalled || cluster.settings.restartHoldMs === 0) return null;
  const ms = duration(cluster, fault, 12_000);
  node.restart(ms, fault);
  return `${node.name} for ${Math.round(ms)} ms`;
}

function drain(cluster: Cluster, fault: Fault): string | null {
  const node = pickUp(cluster);
  if (node === null || node.isDraining) return null;
  const force = cluster.prng.chance(0.3);
  node.setDraining(true, force, fault);
  cluster.queue.after(duration(cluster, fault, 30_000), () => node.setDraining(false));
  return force ? `${node.name} by force` : node.name;
}

function move(cluster: Cluster, fault: Fault): string | null {
  const { prng } = cluster;
  const vip = prng.pick(cluster.vips);
  const { address } = vip;
  const from = cluster.answering(vip)[0];
  const to = prng.pick(cluster.nodes).name;
  if (from === undefined || from === to) return null;
  cluster.node(from).move(address, to, fault);
  return `${address} from ${from} to ${to}`;
}

/** As in a rollout: pods come and go, the last one of a node serves while it terminates. */
function endpointsChanged(cluster: Cluster, fault: Fault): string {
  const { prng, queue } = cluster;
  const address = prng.pick(cluster.addresses);
  const states = ["ready", "terminating", null] as const;
  const serving = new Map<string, "ready" | "terminating">();
  for (const { name } of cluster.nodes) {
    const state = prng.pick(states);
    if (state !== null) serving.set(name, state);
  }
  cluster.setServing(address, serving, fault);
  queue.after(duration(cluster, fault, 20_000), () => cluster.setServing(address, "everywhere"));
  return `${address}: ${[...serving].map((entry) => entry.join(" ")).join(", ") || "none"}`;
}

function stop(cluster: Cluster, fault: Fault): string | null {
  const node = pickUp(cluster);
  if (node === null) return null;
  node.stop(fault);
  cluster.queue.after(5_000 + duration(cluster, fault, 20_000), () => node.start());
  return node.name;
}

function freeze(cluster: Cluster, fault: Fault): string | null {
  const isBetween = cluster.prng.chance(0.3);
  return pause(cluster, fault, (node) =>
    isBetween ? node.freezeAtNextSend(fault) : node.freeze(fault),
  );
}

function stall(cluster: Cluster, fault: Fault): string | null {
  return pause(cluster, fault, (node) => node.stall(fault));
}

function pause(cluster: Cluster, fault: Fault, begin: (node: SimNode) => void): string | null {
  const node = pickUp(cluster);
  if (node === null || node.isStalled) return null;
  begin(node);
  const ms = duration(cluster, fault, 40_000);
  cluster.queue.after(ms, () => node.wake());
  return `${node.name} for ${Math.round(ms)} ms`;
}

function apiCut(cluster: Cluster, fault: Fault): string {
  const node = cluster.prng.pick(cluster.nodes);
  return cutOff(cluster, fault, [node]);
}

function apiOutage(cluster: Cluster, fault: Fault): string {
  return cutOff(cluster, fault, cluster.nodes);
}

function cutOff(cluster: Cluster, fault: Fault, nodes: readonly SimNode[]): string {
  for (const node of nodes) node.link.down(fault);
  const ms = duration(cluster, fault, 60_000);
  cluster.queue.after(ms, () => {
    for (const node of nodes) node.link.up();
  });
  return `${nodes.map((node) => node.name)} for ${Math.round(ms)} ms`;
}

function apiSlow(cluster: Cluster, fault: Fault): string {
  const node = cluster.prng.pick(cluster.nodes);
  const extraMs = cluster.prng.pick([50, 500, 2_500]);
  node.link.slow(extraMs, fault);
  const ms = duration(cluster, fault, 40_000);
  cluster.queue.after(ms, () => node.link.slow(0));
  return `${node.name} by ${extraMs} ms for ${Math.round(ms)} ms`;
}

function answersLost(cluster: Cluster, fault: Fault): string {
  const node = cluster.prng.pick(cluster.nodes);
  node.link.loseAnswers(cluster.prng.pick([0.3, 0.7, 1]), fault);
  const ms = duration(cluster, fault, 30_000);
  cluster.queue.after(ms, () => node.link.loseAnswers(0));
  return `${node.name} for ${Math.round(ms)} ms`;
}

function watchStalled(cluster: Cluster, fault: Fault): string {
  const node = cluster.prng.pick(cluster.nodes);
  const ms = duration(cluster, fault, 60_000);
  node.link.stallWatch(ms, fault);
  return `${node.name} for ${Math.round(ms)} ms`;
}

function carrierLost(cluster: Cluster, fault: Fault): string | null {
  const node = cluster.prng.pick(cluster.nodes);
  const carriers = node.network.carriers();
  if (carriers.length === 0) return null;
  const segment = cluster.prng.pick(carriers);
  cluster.setCarrier(node, segment, false, fault);
  const ms = duration(cluster, fault, 30_000);
  cluster.queue.after(ms, () => cluster.setCarrier(node, segment, true));
  return `${node.name} on ${segment} for ${Math.round(ms)} ms`;
}

function partition(cluster: Cluster, fault: Fault): string {
  const { segment, name } = pickSegment(cluster);
  const groups = cluster.nodes.map(() => cluster.prng.int(0, 1));
  segment.partition(groups, fault);
  const ms = duration(cluster, fault, 60_000);
  cluster.queue.after(ms, () => segment.partition(groups.map(() => 0)));
  return `${groups} ${name} for ${Math.round(ms)} ms`;
}

function marked(kind: "deaf" | "mute" | "filtered"): FaultKind["inject"] {
  return (cluster, fault) => mark(cluster, fault, kind);
}

function mark(cluster: Cluster, fault: Fault, kind: "deaf" | "mute" | "filtered"): string {
  const { queue, prng } = cluster;
  const node = prng.pick(cluster.nodes);
  const { segment, name } = pickSegment(cluster);
  segment.mark(kind, node.port, fault);
  queue.after(duration(cluster, fault, 30_000), () => segment.mark(kind, node.port, null));
  return `${node.name} ${name}`;
}

function oneWay(cluster: Cluster, fault: Fault): string | null {
  const { queue, prng } = cluster;
  const [from, to] = [prng.pick(cluster.nodes), prng.pick(cluster.nodes)];
  if (from === to) return null;
  const { segment, name } = pickSegment(cluster);
  segment.cutOneWay(from.port, to.port, fault);
  const ms = duration(cluster, fault, 30_000);
  queue.after(ms, () => segment.cutOneWay(from.port, to.port, null));
  return `${from.name} to ${to.name} ${name}`;
}

function framesDoubled(cluster: Cluster, fault: Fault): string {
  const { segment, name } = pickSegment(cluster);
  segment.double(0.5, fault);
  cluster.queue.after(duration(cluster, fault, 30_000), () => segment.double(0));
  return `half of them ${name}`;
}

/** Late ones are overtaken by those that are not. */
function framesLate(cluster: Cluster, fault: Fault): string {
  const { segment, name } = pickSegment(cluster);
  segment.delay(0.3, fault);
  cluster.queue.after(duration(cluster, fault, 30_000), () => segment.delay(0));
  return `a third of them ${name}`;
}

/** As a garbage collection or a busy hypervisor does: no reason to lose anything. */
function shortPause(cluster: Cluster, fault: Fault): string | null {
  const node = pickUp(cluster);
  if (node === null || node.isStalled) return null;
  node.freeze(fault);
  cluster.queue.after(lasting(cluster, fault, cluster.prng.between(1, 150)), () => node.wake());
  return node.name;
}

function rebootAll(cluster: Cluster, fault: Fault): string {
  for (const node of cluster.nodes) {
    node.crash(fault);
    cluster.queue.after(duration(cluster, fault, 20_000), () => node.start());
  }
  return "all";
}

function framesLost(cluster: Cluster, fault: Fault): string {
  const part = cluster.prng.pick([0.1, 0.5, 0.9]);
  const { segment, name } = pickSegment(cluster);
  segment.lose(part, fault);
  cluster.queue.after(duration(cluster, fault, 30_000), () => segment.lose(0));
  return `${part} ${name}`;
}

function nodeForbidden(cluster: Cluster, fault: Fault): string {
  const { name } = cluster.prng.pick(cluster.nodes);
  cluster.setPlacement(name, { allowed: false, reason: "not selected" }, fault);
  placeLater(cluster, fault, name);
  return name;
}

function nodeUnhealthy(cluster: Cluster, fault: Fault): string {
  const { name } = cluster.prng.pick(cluster.nodes);
  cluster.setPlacement(name, { allowed: true, interfaces: null, unhealthy: "not Ready" }, fault);
  placeLater(cluster, fault, name);
  return name;
}

function placeLater(cluster: Cluster, fault: Fault, name: string): void {
  cluster.queue.after(duration(cluster, fault, 30_000), () =>
    cluster.setPlacement(name, { allowed: true, interfaces: null, unhealthy: null }),
  );
}

function vipLeaseDeleted(cluster: Cluster, fault: Fault): string | null {
  const address = cluster.prng.pick(cluster.addresses);
  const record = cluster.api.vip(address);
  if (record === null) return null;
  cluster.api.remove({ kind: "vip", record }, fault);
  return address;
}

/** To another owner, to none, or to a name that nobody has; never to a lower epoch. */
function vipLeaseEdited(cluster: Cluster, fault: Fault): string | null {
  const { prng } = cluster;
  const address = prng.pick(cluster.addresses);
  const record = cluster.api.vip(address);
  if (record === null) return null;
  const owner = prng.pick([null, "nobody", ...cluster.nodes.map((node) => node.name)]);
  const epoch = record.epoch + prng.int(0, 3);
  cluster.api.edit({ kind: "vip", record: { ...record, owner, epoch } }, fault);
  return `${address} to ${owner} at ${epoch}`;
}

function nodeLeaseDeleted(cluster: Cluster, fault: Fault): string | null {
  const { name } = cluster.prng.pick(cluster.nodes);
  const record = cluster.api.member(name);
  if (record === null) return null;
  cluster.api.remove({ kind: "member", record }, fault);
  return name;
}

function nodeLeaseEdited(cluster: Cluster, fault: Fault): string | null {
  const { name } = cluster.prng.pick(cluster.nodes);
  const record = cluster.api.member(name);
  if (record === null) return null;
  cluster.api.edit({ kind: "member", record: { ...record, holder: null } }, fault);
  return name;
}

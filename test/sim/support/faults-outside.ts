// What goes wrong outside of the daemons: other hosts, deaf switches, and administrators.

import type { Cluster } from "./cluster.ts";
import { duration } from "./fault-tools.ts";
import type { Fault } from "./harm.ts";

/** A host with a fixed address that is a VIP's. */
export function foreignHost(cluster: Cluster, fault: Fault): string | null {
  const { prng, queue } = cluster;
  const { address, segments } = prng.pick(cluster.vips);
  const segment = prng.pick(segments);
  const host = cluster.foreigners[segment];
  if (host === undefined || host.isActive) return null;
  cluster.foreignHarm = fault;
  host.begin(address, prng.pick([50, 150, 1_000, 3_000]));
  queue.after(duration(cluster, fault, 15_000), () => host.end());
  return `${address} on ${segment}`;
}

/**
 * It owns, its beacons are heard, and nobody gets an answer: a switch that inspects ARP lets only
 * that pass which the host says of its own address.
 */
export function ownerMute(cluster: Cluster, fault: Fault): string | null {
  const { prng, queue } = cluster;
  const vip = prng.pick(cluster.vips);
  const name = cluster.answering(vip)[0];
  const index = prng.pick(vip.segments);
  const segment = cluster.segments[index];
  if (name === undefined || segment === undefined) return null;
  const { port } = cluster.node(name);
  segment.mark("arpMute", port, fault);
  queue.after(duration(cluster, fault, 60_000), () => segment.mark("arpMute", port, null));
  return `${name} on ${index}`;
}

/** An L2Advertisement selects other nodes, perhaps none, and later all again. */
export function poolChanged(cluster: Cluster, fault: Fault): string {
  const { prng, queue } = cluster;
  const { pool } = prng.pick(cluster.vips);
  const nodes = cluster.nodes.map(({ name }) => name).filter(() => prng.chance(0.5));
  cluster.setPool(pool, nodes, fault);
  queue.after(duration(cluster, fault, 30_000), () => cluster.setPool(pool, null));
  return `${pool} on ${nodes.join(", ") || "none"}`;
}

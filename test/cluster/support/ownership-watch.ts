// What the tests of ownership ask again and again: who answers, since when, and why.

import assert from "node:assert/strict";
import type { LabDaemon } from "../../lab/daemon.ts";
import { eventually } from "../../lab/eventually.ts";
import type { DaemonCluster } from "./daemon-cluster.ts";

export interface Change {
  readonly change: "gained" | "lost" | "moved" | "conflict";
  readonly node: string | null;
  readonly epoch: number;
  readonly cause: string;
  readonly detail: string;
}

export interface Tenure {
  readonly owner: string;
  readonly epoch: number;
}

/** Names of all nodes whose MACs answer. */
export async function answerers(c: DaemonCluster, address: string): Promise<string[]> {
  const macs = await c.lab.client.whoAnswers(address);
  return macs.map((mac) => c.lab.nodes.find((node) => node.mac() === mac)?.name ?? mac);
}

/** Exactly one answers, now and for three polls of a second, and the record names it. */
export async function untilOneAnswers(
  c: DaemonCluster,
  address: string,
  timeoutMs = 20_000,
): Promise<Tenure> {
  let last = "";
  let polls = 0;
  const look = async (): Promise<{ polls: number; tenure: Tenure; answer: string[] }> => {
    const answer = await answerers(c, address);
    const tenure = await recordOf(c, address);
    const now = JSON.stringify([answer, tenure]);
    const isSettled = answer.length === 1 && answer[0] === tenure.owner;
    polls = isSettled && now === last ? polls + 1 : 0;
    last = now;
    return { polls, tenure, answer };
  };
  const until = (seen: { polls: number }): boolean => seen.polls >= 3;
  return (await eventually(`one answer for ${address}`, look, { timeoutMs, until })).tenure;
}

/** Who the VIP's Lease names, and its epoch, straight from the API. */
export async function recordOf(c: DaemonCluster, address: string): Promise<Tenure> {
  const lease = await c.controlPlane.get<{
    spec: { holderIdentity?: string; leaseTransitions?: number };
  }>("lease", leaseOf(address), "-n", "lbd-system");
  const { holderIdentity = "", leaseTransitions = 0 } = lease.spec;
  return { owner: holderIdentity, epoch: leaseTransitions };
}

export function leaseOf(address: string): string {
  return `lbd-vip-${address}`;
}

/** Fails when anybody but the owner answers, or nobody does, at any poll. */
export async function keepsAnswering(
  c: DaemonCluster,
  { address, owner, forMs }: { address: string; owner: string; forMs: number },
): Promise<void> {
  const until = performance.now() + forMs;
  while (performance.now() < until) assert.deepEqual(await answerers(c, address), [owner]);
}

/** Newest first. */
export async function history(on: LabDaemon, address: string): Promise<Change[]> {
  const { stdout } = await on.lbctl(["history", address, "-o", "json"]);
  return (JSON.parse(stdout) as { items: Change[] }).items;
}

export async function counters(on: LabDaemon): Promise<Readonly<Record<string, number>>> {
  const { stdout } = await on.lbctl(["status", "-o", "json"]);
  return (JSON.parse(stdout) as { item: { counters: Record<string, number> } }).item.counters;
}

/** All daemons answer and see this many members alive. */
export async function untilMembers(c: DaemonCluster, count: number): Promise<void> {
  for (const daemon of c.daemons.values()) {
    const nodes = () => daemon.lbctl(["nodes"]);
    await eventually(`${count} members alive`, nodes, {
      timeoutMs: 20_000,
      until: ({ stdout }) => (stdout.match(/ alive /g) ?? []).length === count,
    });
  }
}

// Runs one seed: faults for a while (safety), then healing and a demand (liveness). What a failure
// needs to be understood and repeated is in the report.

import type { Ip } from "../../../src/core/address.ts";
import { Cluster } from "./cluster.ts";
import type { Code } from "./code.ts";
import { FAULTS, type FaultKind, injectOne } from "./faults.ts";
import type { OracleFigures } from "./oracle.ts";
import { Prng } from "./prng.ts";
import { type Invariant, Violation } from "./violation.ts";

export interface SeedOptions {
  readonly code?: Code;
  /** Only these kinds; all of them when it is not given. */
  readonly kinds?: readonly string[];
  readonly faultMs?: number;
  readonly rateError?: number;
}

export interface SeedReport {
  readonly seed: number;
  readonly failure: { readonly invariant: Invariant; readonly message: string } | null;
  readonly events: number;
  /** Virtual time that has passed, in ms. */
  readonly virtualMs: number;
  readonly faults: ReadonlyMap<string, number>;
  readonly fingerprint: number;
  readonly figures: OracleFigures;
  /** For people: the cluster, and the last things that happened. */
  readonly story: readonly string[];
}

const FAULT_MS = 180_000;
const FAULT_GAP_MS_MIN = 1_000;
const FAULT_GAP_MS_MAX = 10_000;
/**
 * The Lease of a node that does not come back, its confirmation, a claim that has to be repeated,
 * and a watch that is listed anew.
 */
const HEAL_MS = 45_000;
/** Long enough for every offer, and for the process to end. */
const STOP_MS = 1_500;
/** A restarted node is heard, and past its start hold. */
const SETTLE_MS = 8_000;
/** Hold 300, staggered claims, the write or its deadline, all by the slowest clock. */
const REPLACED_MS = 550;
/** Long enough for a node Lease that is not renewed to be noticed. */
const STEADY_MS = 15_000;

export function runSeed(seed: number, options: SeedOptions = {}): SeedReport {
  // The shape comes from a generator of its own, so that more faults do not change it.
  const shape = new Prng(seed ^ 0x5bd1e995);
  const { code, rateError = 0.05 } = options;
  const cluster = new Cluster({
    seed,
    nodes: shape.int(1, 5),
    vips: shape.int(1, 4),
    rateError,
    hasGateway: shape.chance(0.5),
    ...(code === undefined ? {} : { code }),
  });
  const faults = new Map<string, number>();
  const failure = play(cluster, faults, options);
  return {
    seed,
    failure,
    events: cluster.queue.done,
    virtualMs: cluster.queue.now,
    faults,
    fingerprint: cluster.fingerprint,
    figures: cluster.oracle.figures,
    story: [`${cluster.nodes.length} nodes, ${cluster.addresses.length} VIPs`, ...cluster.trace],
  };
}

function play(
  cluster: Cluster,
  faults: Map<string, number>,
  options: SeedOptions,
): SeedReport["failure"] {
  try {
    cluster.startAll();
    cluster.run(cluster.prng.between(0, 15_000));
    injectFor(cluster, faults, options);
    cluster.heal();
    cluster.run(HEAL_MS);
    cluster.oracle.checkHealed();
    const owners = cluster.addresses.map((address) => cluster.answering(address)[0]);
    cluster.run(STEADY_MS);
    cluster.oracle.checkHealed();
    checkSame(cluster, owners);
    if (cluster.nodes.length > 1) {
      checkQuietStop(cluster, owners[0]);
      checkQuietCrash(cluster, cluster.answering(cluster.addresses[0] as Ip)[0]);
    }
    return null;
  } catch (thrown) {
    if (thrown instanceof Violation) {
      return { invariant: thrown.invariant, message: thrown.message };
    }
    const message = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
    return { invariant: "no-throw", message };
  }
}

function injectFor(cluster: Cluster, faults: Map<string, number>, options: SeedOptions): void {
  const { kinds, faultMs = FAULT_MS } = options;
  const chosen: readonly FaultKind[] =
    kinds === undefined ? FAULTS : FAULTS.filter((kind) => kinds.includes(kind.name));
  const until = cluster.queue.now + faultMs;
  while (cluster.queue.now < until) {
    // Dense: a fault often meets the consequences of the one before.
    const gap = cluster.prng.float() ** 3 * (FAULT_GAP_MS_MAX - FAULT_GAP_MS_MIN);
    cluster.run(FAULT_GAP_MS_MIN + gap);
    const kind = injectOne(cluster, chosen);
    if (kind !== null) faults.set(kind.name, (faults.get(kind.name) ?? 0) + 1);
  }
}

/** With nothing else going on, an owner is stopped: somebody answers at every moment. */
function checkQuietStop(cluster: Cluster, owner: string | undefined): void {
  if (owner === undefined) return;
  cluster.note(`${owner} is stopped`);
  const node = cluster.node(owner);
  node.stop();
  for (let ms = 0; ms < STOP_MS; ms += 1) {
    cluster.run(1);
    const silent = cluster.addresses.filter((address) => cluster.answering(address).length === 0);
    if (silent.length === 0) continue;
    const detail = `nobody answers for ${silent}, ${ms} ms after ${owner} was asked to stop`;
    throw new Violation("handed-over", detail);
  }
  node.start();
  cluster.run(SETTLE_MS);
  cluster.oracle.checkHealed();
}

/**
 * With nothing else going on, an owner dies. Those that are left take over within the detection
 * time; one that is left alone needs a gateway for that, or waits for the Lease.
 */
function checkQuietCrash(cluster: Cluster, owner: string | undefined): void {
  if (owner === undefined) return;
  cluster.note(`${owner} dies`);
  cluster.node(owner).crash();
  if (cluster.nodes.length > 2 || cluster.hasGateway) {
    cluster.run(REPLACED_MS);
    const silent = cluster.addresses.filter((address) => cluster.answering(address).length !== 1);
    if (silent.length > 0) {
      const detail = `${REPLACED_MS} ms after ${owner} died, not one answers for ${silent}`;
      throw new Violation("replaced-in-time", detail);
    }
  }
  cluster.run(HEAL_MS);
  cluster.oracle.checkHealed();
}

function checkSame(cluster: Cluster, owners: readonly (string | undefined)[]): void {
  for (const [index, address] of cluster.addresses.entries()) {
    const now = cluster.answering(address)[0];
    if (now !== owners[index]) {
      const detail = `${address} moved from ${owners[index]} to ${now} without a cause`;
      throw new Violation("one-after-healing", detail);
    }
  }
}

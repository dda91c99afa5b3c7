// Runs one seed: faults for a while (safety), then healing and a demand (liveness). What a failure
// needs to be understood and repeated is in the report.

import { Cluster } from "./cluster.ts";
import type { Code } from "./code.ts";
import { FAULTS, type FaultKind, injectOne } from "./faults.ts";
import type { KindFigures } from "./harm.ts";
import type { OracleFigures } from "./oracle.ts";
import { Prng } from "./prng.ts";
import { playQuietStories } from "./quiet-stories.ts";
import { DEFAULT_SETTINGS, drawSettings, type Settings } from "./settings.ts";
import { drawTopology } from "./topology.ts";
import { type Invariant, Violation } from "./violation.ts";

export interface SeedOptions {
  readonly code?: Code;
  /** Only these kinds; all of them when it is not given. */
  readonly kinds?: readonly string[];
  /** How long faults are injected, at most. */
  readonly faultMs?: number;
  readonly rateError?: number;
  /** For all clusters, in place of those that the seed gives. */
  readonly settings?: Settings;
}

export interface SeedReport {
  readonly seed: number;
  readonly failure: { readonly invariant: Invariant; readonly message: string } | null;
  readonly events: number;
  /** Virtual time that has passed, in ms. */
  readonly virtualMs: number;
  /** By kind. */
  readonly faults: ReadonlyMap<string, KindFigures>;
  readonly fingerprint: number;
  readonly figures: OracleFigures;
  /** For people: the cluster, all faults, and the last things that happened. */
  readonly story: readonly string[];
}

/** Clocks run within 1 +- this of true time, unless it is said otherwise. */
export const RATE_ERROR = 0.05;

/** How long faults are injected, in the tests. */
export const FAULT_MS = 300_000;
/** A cluster in which more happens has faults for a shorter time: all cost about the same. */
const EVENTS_PER_MS_MAX = 0.1;
const FAULT_GAP_MS_MIN = 1_000;
const FAULT_GAP_MS_MAX = 10_000;
/** The larger the gap's exponent, the nearer most gaps are to the shortest. */
const GAP_EXPONENT = 5;
/** In these clusters a fault comes every second or little later. */
const DENSE_GAP_EXPONENT = 30;
const DENSE_SHARE = 0.8;
/** So many clusters have more than five nodes: their frames grow with the square. */
const LARGE_SHARE = 0.03;
/** How many nodes the others have, as often as it is listed. */
const SMALL_SIZES = [1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 5];
/** So many are not set up as the defaults are. */
const TUNED_SHARE = 0.4;
/** Long enough for a node Lease that is not renewed to be noticed. */
const STEADY_MS = 15_000;

export function runSeed(seed: number, options: SeedOptions = {}): SeedReport {
  // The shape comes from a generator of its own, so that more faults do not change it.
  const shape = new Prng(seed ^ 0x5bd1e995);
  const { code, rateError = RATE_ERROR } = options;
  const nodes = shape.chance(LARGE_SHARE) ? shape.int(6, 9) : shape.pick(SMALL_SIZES);
  const cluster = new Cluster({
    seed,
    topology: drawTopology(shape, nodes, shape.int(1, 4)),
    rateError,
    hasGateway: shape.chance(0.5),
    settings:
      options.settings ?? (shape.chance(TUNED_SHARE) ? drawSettings(shape) : DEFAULT_SETTINGS),
    ...(code === undefined ? {} : { code }),
  });
  const gapExponent = shape.chance(DENSE_SHARE) ? DENSE_GAP_EXPONENT : GAP_EXPONENT;
  const failure = play(cluster, gapExponent, options);
  return {
    seed,
    failure,
    events: cluster.queue.done,
    virtualMs: cluster.queue.now,
    faults: cluster.ledger.figures,
    fingerprint: cluster.fingerprint,
    figures: cluster.oracle.figures,
    story: storyOf(cluster, rateError),
  };
}

function storyOf(cluster: Cluster, rateError: number): string[] {
  const { schedule, trace } = cluster;
  const clocks = `clocks within ${rateError * 100} %`;
  return [`${aboutText(cluster)}; ${clocks}`, "faults:", ...schedule, "at last:", ...trace];
}

function aboutText({ nodes, vips, hasGateway, settings }: Cluster): string {
  const on = nodes.map(({ name, network }) => `${name} on ${network.on}`);
  const where = vips.map(({ address, segments }) => `${address} on ${segments}`);
  const gateway = hasGateway ? "with gateway" : "no gateway";
  return `${[...on, ...where, gateway].join("; ")}; ${JSON.stringify(settings)}`;
}

function play(cluster: Cluster, gapExponent: number, options: SeedOptions): SeedReport["failure"] {
  try {
    cluster.startAll();
    cluster.run(cluster.prng.between(0, 15_000));
    injectFor(cluster, gapExponent, options);
    cluster.heal();
    cluster.run(cluster.bounds.healMs);
    checkAllRun(cluster);
    cluster.oracle.checkHealed();
    const owners = cluster.vips.map((vip) => cluster.answering(vip)[0]);
    runIdle(cluster);
    cluster.oracle.checkHealed();
    checkSame(cluster, owners);
    if (cluster.nodes.length > 1) playQuietStories(cluster);
    return null;
  } catch (thrown) {
    if (thrown instanceof Violation) {
      return { invariant: thrown.invariant, message: thrown.message };
    }
    const message = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
    return { invariant: "no-throw", message };
  }
}

function injectFor(cluster: Cluster, gapExponent: number, options: SeedOptions): void {
  const { kinds, faultMs = FAULT_MS } = options;
  const chosen: readonly FaultKind[] =
    kinds === undefined ? FAULTS : FAULTS.filter((kind) => kinds.includes(kind.name));
  const { queue } = cluster;
  const until = queue.now + faultMs;
  const most = queue.done + EVENTS_PER_MS_MAX * faultMs;
  while (queue.now < until && queue.done < most) {
    // Dense: a fault often meets the consequences of the one before.
    const gap = cluster.prng.float() ** gapExponent * (FAULT_GAP_MS_MAX - FAULT_GAP_MS_MIN);
    cluster.run(FAULT_GAP_MS_MIN + gap);
    injectOne(cluster, chosen);
  }
}

/** What is promised of an idle cluster's writes, whatever the number of VIPs (design 7). */
function runIdle(cluster: Cluster): void {
  const { api, nodes, bounds, timings } = cluster;
  const before = { ...api.writes };
  cluster.run(STEADY_MS);
  cluster.oracle.judges("api-budget");
  const members = api.writes.member - before.member;
  const most = nodes.length * (1 + (STEADY_MS * bounds.fast) / timings.renewIntervalMs);
  const vips = api.writes.vip - before.vip;
  if (vips === 0 && members <= most) return;
  const detail = `${members} node Leases and ${vips} of VIPs are written in ${STEADY_MS} ms`;
  throw new Violation("api-budget", detail);
}

/** Or the simulator has not healed what it promised to. */
function checkAllRun({ nodes }: Cluster): void {
  const idle = nodes.filter((node) => !node.isUp || node.isStalled).map((node) => node.name);
  if (idle.length > 0) throw new Error(`Cannot judge: ${idle} did not start again`);
}

function checkSame(cluster: Cluster, owners: readonly (string | undefined)[]): void {
  for (const [index, vip] of cluster.vips.entries()) {
    const now = cluster.answering(vip)[0];
    if (now !== owners[index]) {
      const detail = `${vip.address} moved from ${owners[index]} to ${now} without a cause`;
      throw new Violation("one-after-healing", detail);
    }
  }
}

// The shape of a cluster: who has an interface on which segment, and where each VIP is answered.

import type { Ip } from "../../../src/core/address.ts";
import { SEGMENTS_MAX, vipIn, vipOfNamed } from "./lan.ts";
import type { Prng } from "./prng.ts";

export interface VipPlan {
  readonly address: Ip;
  /** The first of two addresses of a Service, or its own. */
  readonly rankBy: Ip;
  readonly pool: string;
  readonly segments: readonly number[];
  /** Its interfaces are named by the L2Advertisement; else it fits the prefix of its segment. */
  readonly isNamed: boolean;
}

export interface Topology {
  readonly segments: number;
  /** By node: the segments that it has an interface on. */
  readonly nodes: readonly (readonly number[])[];
  readonly vips: readonly VipPlan[];
}

/** Half of the clusters have one segment, as nearly all have in the field. */
const SINGLE_SHARE = 0.5;
/** So many of the others have every node on every segment. */
const WHOLE_SHARE = 0.6;
/** Of the VIPs of those, so many are answered on several segments. */
const NAMED_SHARE = 0.3;
/** An interface that a node need not have it has so often. */
const PRESENT_SHARE = 0.7;

export function oneSegment(nodes: number, vips: number): Topology {
  return {
    segments: 1,
    nodes: Array.from({ length: nodes }, () => [0]),
    vips: paired(Array.from({ length: vips }, (_, index) => inPrefix(0, index))),
  };
}

export function drawTopology(prng: Prng, nodes: number, vips: number): Topology {
  if (prng.chance(SINGLE_SHARE)) return oneSegment(nodes, vips);
  const segments = prng.int(2, SEGMENTS_MAX);
  const isWhole = prng.chance(WHOLE_SHARE);
  const all = Array.from({ length: segments }, (_, segment) => segment);
  const drawVip = (_: unknown, index: number): VipPlan => {
    if (isWhole && prng.chance(NAMED_SHARE)) return named(index, pickSeveral(prng, all));
    return inPrefix(prng.pick(all), index);
  };
  return {
    segments,
    nodes: Array.from({ length: nodes }, (_, node) =>
      all.filter(
        (segment) => isWhole || mustHave(node, segment, nodes) || prng.chance(PRESENT_SHARE),
      ),
    ),
    vips: paired(Array.from({ length: vips }, drawVip)),
  };
}

/** Every second VIP of a pool is the second address of a Service. */
function paired(vips: readonly VipPlan[]): VipPlan[] {
  return vips.map((vip) => {
    const ofPool = vips.filter(({ pool }) => pool === vip.pool);
    const position = ofPool.indexOf(vip);
    const first = position % 2 === 0 ? vip : ofPool[position - 1];
    return { ...vip, rankBy: first?.address ?? vip.address };
  });
}

/** The first segment is everybody's; each of the others has at least two nodes. */
function mustHave(node: number, segment: number, nodes: number): boolean {
  return segment === 0 || node === segment % nodes || node === (segment + 1) % nodes;
}

function pickSeveral(prng: Prng, all: readonly number[]): number[] {
  const without = all.length > 2 && prng.chance(0.5) ? prng.pick(all) : null;
  return all.filter((segment) => segment !== without);
}

function inPrefix(segment: number, index: number): VipPlan {
  const pool = `segment-${segment}`;
  const address = vipIn(segment, index);
  return { address, rankBy: address, pool, segments: [segment], isNamed: false };
}

function named(index: number, segments: readonly number[]): VipPlan {
  const pool = `named-${segments.join("-")}`;
  const address = vipOfNamed(index);
  return { address, rankBy: address, pool, segments, isNamed: true };
}

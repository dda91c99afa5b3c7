// Whether a node may own a VIP: selected by an advertisement, healthy, able to deliver, and on a
// segment with carrier that the VIP fits. Every "no" has its reason in words.

import type { Ip } from "../core/address.ts";
import { rangeContains } from "../core/address.ts";
import type { Segment, Serving, VipSpec } from "./types.ts";

export type Eligibility =
  | {
      readonly eligible: true;
      readonly interfaces: readonly string[];
      readonly unhealthy: string | null;
    }
  | { readonly eligible: false; readonly reason: string };

/** `segments` null: the node says nothing of them, which excludes nobody. */
export function eligibility(
  vip: VipSpec,
  node: string,
  segments: readonly Segment[] | null,
): Eligibility {
  const placement = vip.placement.nodes.get(node);
  if (placement === undefined) return no("the API knows no Node of this name");
  if (!placement.allowed) return no(placement.reason);
  const delivery = deliveryOn(vip.serving, node);
  if (delivery.kind === "none") return no(delivery.reason);
  const { interfaces } = placement;
  const unhealthy = placement.unhealthy ?? delivery.problem;
  if (segments === null) return { eligible: true, interfaces: interfaces ?? [], unhealthy };
  const fitting = segmentsFor(vip.address, segments, interfaces);
  if (fitting.length === 0) return no(whyNoSegment(vip, segments, interfaces));
  return { eligible: true, interfaces: fitting.map((segment) => segment.interface), unhealthy };
}

function no(reason: string): Eligibility {
  return { eligible: false, reason };
}

type Delivery =
  | { readonly kind: "some"; readonly problem: string | null }
  | { readonly kind: "none"; readonly reason: string };

/** Who is about to lose its last endpoint should let go of the VIP before. */
function deliveryOn(serving: Serving, node: string): Delivery {
  if (serving === "everywhere") return { kind: "some", problem: null };
  switch (serving.get(node)) {
    case "ready":
      return { kind: "some", problem: null };
    case "terminating":
      return { kind: "some", problem: "the last endpoints on it are terminating" };
    case undefined: {
      const reason =
        serving.size === 0
          ? "no endpoint of its Services serves"
          : "no endpoint on it serves (externalTrafficPolicy: Local)";
      return { kind: "none", reason };
    }
  }
}

/**
 * Where a host answers for the address. Interfaces that an advertisement names fit as they are: the
 * administrator knows the segment. Otherwise it is one, as the kernel would route: that with the
 * longest prefix that holds the address, and of several on one network the first.
 */
export function segmentsFor(
  address: Ip,
  segments: readonly Segment[],
  named: readonly string[] | null,
): readonly Segment[] {
  if (named !== null) return segments.filter((segment) => named.includes(segment.interface));
  let best: { segment: Segment; length: number } | null = null;
  for (const segment of segments) {
    for (const prefix of segment.prefixes) {
      const isLonger = best === null || prefix.length > best.length;
      if (isLonger && rangeContains(prefix, address)) best = { segment, length: prefix.length };
    }
  }
  return best === null ? [] : [best.segment];
}

function whyNoSegment(
  vip: VipSpec,
  segments: readonly Segment[],
  named: readonly string[] | null,
): string {
  if (named !== null) {
    const names = named.map((name) => `"${name}"`).join(", ");
    return `no interface ${names} with carrier and address, which the L2Advertisement asks for`;
  }
  if (segments.length === 0) return "no interface with carrier and an address";
  const names = segments.map((segment) => segment.interface).join(", ");
  return `no interface with carrier has a prefix that holds ${vip.address} (looked at ${names})`;
}

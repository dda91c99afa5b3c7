// IPAddressPool: a named set of addresses, and for whom they are.

import { z } from "zod";
import type { IpRange } from "../core/address.ts";
import { addressEntry } from "./fields.ts";
import type { ConfigProblem, RawResource, Sourced } from "./resource.ts";
import { parseSpec } from "./resource.ts";
import type { ServiceAllocation } from "./service-allocation.ts";
import { serviceAllocationSchema } from "./service-allocation.ts";

/** A named set of address ranges: `IPAddressPool`. */
export interface Pool {
  readonly name: string;
  /** In the order they were written, which is the order of allocation. */
  readonly ranges: readonly IpRange[];
  /** False: only on explicit request. */
  readonly autoAssign: boolean;
  /** Leave out IPv4 addresses that end in .0 and .255. */
  readonly avoidBuggyIps: boolean;
  /** Null: for every Service, after the pools that are for some. */
  readonly serviceAllocation: ServiceAllocation | null;
}

export const poolSpecSchema = z.strictObject({
  addresses: z.array(addressEntry).min(1),
  autoAssign: z.boolean().default(true),
  avoidBuggyIPs: z.boolean().default(false),
  serviceAllocation: serviceAllocationSchema.optional(),
});

const RULES = { kind: "IPAddressPool", schema: poolSpecSchema } as const;

/** A pool that is valid by itself, or null. */
export function parsePool(raw: RawResource, problems: ConfigProblem[]): Sourced<Pool> | null {
  const parsed = parseSpec(raw, RULES, problems);
  if (parsed === null) return null;
  const { addresses: ranges, autoAssign, avoidBuggyIPs, serviceAllocation } = parsed.value;
  const value = {
    name: raw.name,
    ranges,
    autoAssign,
    avoidBuggyIps: avoidBuggyIPs,
    serviceAllocation: serviceAllocation ?? null,
  };
  return { value, origin: parsed.origin };
}

// IPAddressPool.spec.serviceAllocation: for which Services a pool is, and which is tried first.

import { z } from "zod";
import { selectors, uniqueStrings } from "./fields.ts";
import type { LabelSelector } from "./label-selector.ts";

export interface ServiceAllocation {
  /** The lower, the sooner the pool is tried; 0: after all that have one. */
  readonly priority: number;
  /** Together with those that a selector matches; none of both: every namespace. */
  readonly namespaces: readonly string[];
  /** OR-ed, on the labels of namespaces. */
  readonly namespaceSelectors: readonly LabelSelector[];
  /** OR-ed, on the labels of Services, of those in the namespaces; none: every Service. */
  readonly serviceSelectors: readonly LabelSelector[];
}

export const serviceAllocationSchema = z.strictObject({
  priority: z.int().default(0),
  namespaces: uniqueStrings().default([]),
  namespaceSelectors: selectors().default([]),
  serviceSelectors: selectors().default([]),
});

// `IPAddressPool.spec.serviceAllocation`: which Services a pool is for. The pool is tried before
// those that are for everybody.

import { z } from "zod";
import { selectors, uniqueStrings } from "./fields.ts";
import type { LabelSelector, Labels } from "./label-selector.ts";
import { anySelectorMatches } from "./label-selector.ts";

export interface ServiceAllocation {
  /** A lower number is tried first; 0, the default, after the others. */
  readonly priority: number;
  readonly namespaces: readonly string[];
  /** OR-ed; the namespaces that they select now are added to `namespaces`. */
  readonly namespaceSelectors: readonly LabelSelector[];
  /** OR-ed, over the labels of the Service; the namespace has to fit as well. */
  readonly serviceSelectors: readonly LabelSelector[];
}

export const serviceAllocationSchema = z.strictObject({
  priority: z.int().default(0),
  namespaces: uniqueStrings().default([]),
  namespaceSelectors: selectors().default([]),
  serviceSelectors: selectors().default([]),
});

/** What a Service is told apart by. */
export interface Applicant {
  readonly namespace: string;
  readonly labels: Labels;
}

/** `serviceAllocation` with its selectors of namespaces resolved. */
export class ServiceFilter {
  readonly priority: number;
  readonly #allocation: ServiceAllocation;
  /** Empty: none is named or selected, which restricts nobody. */
  readonly #namespaces: ReadonlySet<string>;

  /** `namespaces`: the labels of each that exists. */
  constructor(allocation: ServiceAllocation, namespaces: ReadonlyMap<string, Labels>) {
    this.priority = allocation.priority;
    this.#allocation = allocation;
    const selected = [...namespaces]
      .filter(([, labels]) => anySelectorMatches(allocation.namespaceSelectors, labels))
      .map(([name]) => name);
    this.#namespaces = new Set([...allocation.namespaces, ...selected]);
  }

  /** Whether the Service may have an address of the pool that it asks for. */
  admits({ namespace, labels }: Applicant): boolean {
    const { serviceSelectors } = this.#allocation;
    if (this.#namespaces.size > 0 && !this.#namespaces.has(namespace)) return false;
    return serviceSelectors.length === 0 || anySelectorMatches(serviceSelectors, labels);
  }

  /**
   * Whether it gets one without asking. A pool whose selectors of namespaces select none, and that
   * has no other condition, is for nobody; who asks for it gets it all the same, as with MetalLB.
   */
  offersTo(applicant: Applicant): boolean {
    const { namespaceSelectors, serviceSelectors } = this.#allocation;
    const isForNobody =
      this.#namespaces.size === 0 && namespaceSelectors.length > 0 && serviceSelectors.length === 0;
    return !isForNobody && this.admits(applicant);
  }
}

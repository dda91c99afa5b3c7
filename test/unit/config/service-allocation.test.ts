// Tests of which Services a pool is for: namespaces by name and by label, labels of the Service,
// and what MetalLB makes of selectors that select nothing.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Labels } from "../../../src/config/label-selector.ts";
import { ServiceFilter, serviceAllocationSchema } from "../../../src/config/service-allocation.ts";

const NAMESPACES = new Map<string, Labels>([
  ["shop", { team: "red" }],
  ["den", { team: "blue" }],
  ["lab", {}],
]);
const RED = [{ matchLabels: { team: "red" } }];
const NONE = [{ matchLabels: { team: "green" } }];
const EDGE = [{ matchLabels: { tier: "edge" } }];

/** Who of three namespaces, each with a plain Service and one with tier=edge ("+"), may. */
function who(may: (applicant: { namespace: string; labels: Labels }) => boolean): string {
  const names = [...NAMESPACES.keys()].flatMap((namespace) => [
    ...(may({ namespace, labels: {} }) ? [namespace] : []),
    ...(may({ namespace, labels: { tier: "edge" } }) ? [`${namespace}+`] : []),
  ]);
  return names.join(" ");
}

const ALL = "shop shop+ den den+ lab lab+";
const ROWS: readonly (readonly [string, object, admits: string, offersTo: string])[] = [
  ["nothing", {}, ALL, ALL],
  ["a priority alone", { priority: 5 }, ALL, ALL],
  ["a namespace by name", { namespaces: ["den"] }, "den den+", "den den+"],
  ["a namespace that is not there", { namespaces: ["gone"] }, "", ""],
  ["namespaces by label", { namespaceSelectors: RED }, "shop shop+", "shop shop+"],
  [
    "namespaces by name or label",
    { namespaces: ["lab"], namespaceSelectors: RED },
    "shop shop+ lab lab+",
    "shop shop+ lab lab+",
  ],
  ["any of two selectors", { namespaceSelectors: [...RED, ...NONE] }, "shop shop+", "shop shop+"],
  ["labels of the Service", { serviceSelectors: EDGE }, "shop+ den+ lab+", "shop+ den+ lab+"],
  ["a namespace and labels: both", { namespaces: ["den"], serviceSelectors: EDGE }, "den+", "den+"],
  ["a selector that selects no namespace", { namespaceSelectors: NONE }, ALL, ""],
  [
    "a selector that selects no namespace, and labels: the labels",
    { namespaceSelectors: NONE, serviceSelectors: EDGE },
    "shop+ den+ lab+",
    "shop+ den+ lab+",
  ],
  ["an empty selector of namespaces", { namespaceSelectors: [{}] }, ALL, ALL],
];

for (const [name, allocation, admits, offersTo] of ROWS) {
  test(`ServiceFilter of ${name}`, () => {
    const filter = new ServiceFilter(serviceAllocationSchema.parse(allocation), NAMESPACES);
    assert.equal(
      who((one) => filter.admits(one)),
      admits,
      "who asks",
    );
    assert.equal(
      who((one) => filter.offersTo(one)),
      offersTo,
      "who does not ask",
    );
  });
}

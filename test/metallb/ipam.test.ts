// MetalLB's acceptance cases for the allocation of addresses, by number, in one cluster.
//
// Elsewhere:
//   7   a pool that becomes dual stack: test/cluster/allocation.test.ts, "a second family ..."
//   9   a Service of another class: test/cluster/service-path.test.ts, "with a loadBalancerClass"
// 8 is about the status of pools, which is of another part.

import { describe } from "node:test";
import { casesForSuite } from "./support/case-cluster.ts";
import { dualStackCases } from "./support/dual-stack-cases.ts";
import { poolCases } from "./support/pool-cases.ts";

describe("allocation", () => {
  const cases = casesForSuite({ nodes: 3, dualStack: true });

  poolCases(cases);
  dualStackCases(cases);
});

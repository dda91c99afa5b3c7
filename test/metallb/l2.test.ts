// MetalLB's acceptance cases for layer 2, by number, in one cluster whose daemons give addresses
// back to the node that ranks first (`preempt`), as MetalLB's do. Without it nothing moves back by
// itself: test/ownership/failover.test.ts, "that returns takes nothing back by itself".
//
// Elsewhere:
//   1   HTTP from a client to a pod: test/cluster/service-path.test.ts
//   14  interfaces that are named and change: test/cluster/selectors.test.ts, "interfaces: ..."
//   15  an interface that is not there: test/cluster/bad-input.test.ts, "an interface that ..."
//   17  a node selector and interfaces together: as 14
// 4 is about ServiceL2Status, 30 about BGP: both are of other parts.

import { describe } from "node:test";
import { startKubeProxies } from "../lab/kube-proxy.ts";
import { announcingCases } from "./support/announcing-cases.ts";
import { casesForSuite } from "./support/case-cluster.ts";
import { movingCases } from "./support/moving-cases.ts";
import { preferenceCases } from "./support/preference-cases.ts";
import { selectorCases } from "./support/selector-cases.ts";

describe("layer 2", () => {
  const options = { nodes: 3, secondDataSegment: true, dualStack: true };
  const cases = casesForSuite({ ...options, config: { preempt: true } }, async ({ cluster }) => {
    await startKubeProxies(cluster.controlPlane);
  });

  announcingCases(cases);
  movingCases(cases);
  selectorCases(cases);
  preferenceCases(cases);
});

// Cases about who should announce: preferredNodeSelectors, and the natural order of the nodes
// without them. One that excludes a preferred node is among the moving cases.

import { caseTest, type MetallbCase, prefer, selectNodes } from "./case.ts";
import type { CaseCluster } from "./case-cluster.ts";

export function preferenceCases(cases: () => CaseCluster): void {
  caseTest(
    cases,
    "22: a node that becomes preferred takes over, until it is no more",
    async (one) => {
      const { address, natural, last } = await prepared(one);
      await one.advertise({ preferredNodeSelectors: [prefer("case22=yes")] });
      await one.untilAnsweredBy(address, natural);
      await one.labelNode(last, "case22=yes");
      await one.untilAnsweredBy(address, last);
      await one.labelNode(last, "case22-");
      await one.untilAnsweredBy(address, natural);
    },
  );

  caseTest(cases, "23: a preference that no node matches changes nothing", async (one) => {
    await one.pool();
    await one.advertise({ preferredNodeSelectors: [prefer("case23=no-node")] });
    for (const node of one.nodes) {
      await one.service(one.addressWonBy(node), { name: node });
      await one.untilAnsweredBy(one.addressWonBy(node), node);
    }
  });

  caseTest(cases, "25: a preference that is edited counts as it is now", async (one) => {
    const { address, natural, second, last } = await prepared(one);
    await one.labelNode(second, "case25=a");
    await one.labelNode(last, "case25=b");
    await one.advertise({ preferredNodeSelectors: [prefer("case25=b")] });
    await one.untilAnsweredBy(address, last);
    await one.advertise({ preferredNodeSelectors: [prefer("case25=a")] });
    await one.untilAnsweredBy(address, second);
    await one.advertise({ preferredNodeSelectors: [] });
    await one.untilAnsweredBy(address, natural);
  });

  caseTest(cases, "26: node selectors are hard, preferences soft", async (one) => {
    const { address, natural, second, last } = await prepared(one);
    await one.labelNode(natural, "case26=yes");
    await one.labelNode(last, "case26=yes");
    const nodeSelectors = selectNodes(second, last);
    await one.advertise({ nodeSelectors, preferredNodeSelectors: [prefer("case26=yes")] });
    await one.untilAnsweredBy(address, last);
    await one.labelNode(last, "case26-");
    await one.untilAnsweredBy(address, second);
  });

  caseTest(cases, "27: a preferred node that is not selected is no candidate", async (one) => {
    const { address, second, last } = await prepared(one);
    await one.labelNode(second, "case27=yes");
    const preferredNodeSelectors = [prefer("case27=yes")];
    await one.advertise({ nodeSelectors: selectNodes(last), preferredNodeSelectors });
    await one.untilAnsweredBy(address, last);
  });

  weightCases(cases);
}

function weightCases(cases: () => CaseCluster): void {
  caseTest(cases, "28: weights of two advertisements add up, until one is removed", async (one) => {
    const { address, second, last } = await prepared(one);
    await one.labelNode(second, "case28=one");
    await one.labelNode(last, "case28=both");
    const both = (weight: number) => prefer("case28=both", weight);
    const preferredNodeSelectors = [both(60), prefer("case28=one", 100)];
    await one.advertise({ preferredNodeSelectors }, "case28-first");
    await one.advertise({ preferredNodeSelectors: [both(50)] }, "case28-second");
    await one.untilAnsweredBy(address, last);
    await one.remove("L2Advertisement", "case28-second");
    await one.untilAnsweredBy(address, second);
  });

  caseTest(
    cases,
    "29: a preference is for the Services that its advertisement selects",
    async (one) => {
      const { address, natural, last, name } = await prepared(one);
      await one.labelNode(last, "case29=yes");
      await one.advertise({}, "case29-all");
      const serviceSelectors = [{ matchLabels: { expose: "yes" } }];
      const preferredNodeSelectors = [prefer("case29=yes")];
      await one.advertise({ serviceSelectors, preferredNodeSelectors }, "case29-some");
      await one.untilAnsweredBy(address, natural);
      await one.labelService(name, "expose=yes");
      await one.untilAnsweredBy(address, last);
      await one.labelService(name, "expose-");
      await one.untilAnsweredBy(address, natural);
    },
  );
}

/** A pool and a Service; which nodes rank first, second and last for its address by themselves. */
async function prepared(one: MetallbCase) {
  await one.pool();
  const address = one.address(0);
  const [natural = "", second = "", last = ""] = one.ranking(address);
  const name = await one.service(address);
  return { address, natural, second, last, name };
}

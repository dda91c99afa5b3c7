// Cases in which the announcing node cannot go on, and has its address back afterwards.

import { caseTest, EXCLUDE, prefer } from "./case.ts";
import type { CaseCluster } from "./case-cluster.ts";

export function movingCases(cases: () => CaseCluster): void {
  caseTest(
    cases,
    "5: NetworkUnavailable moves the address, and its end moves it back",
    async (one) => {
      await one.pool();
      await one.advertise();
      const address = one.addressWonBy("node1");
      await one.service(address);
      await one.untilAnsweredBy(address, "node1");
      await one.setNetworkUnavailable("node1", "True");
      await one.untilAnsweredBy(address, one.ranking(address)[1] ?? "");
      await one.setNetworkUnavailable("node1", "False");
      await one.untilAnsweredBy(address, "node1");
    },
  );

  caseTest(
    cases,
    "6: the label that excludes moves the address, its end moves it back",
    async (one) => {
      await one.pool();
      await one.advertise();
      const address = one.addressWonBy("node2");
      await one.service(address);
      await one.untilAnsweredBy(address, "node2");
      await one.labelNode("node2", `${EXCLUDE}=`);
      await one.untilAnsweredBy(address, one.ranking(address)[1] ?? "");
      await one.labelNode("node2", `${EXCLUDE}-`);
      await one.untilAnsweredBy(address, "node2");
    },
  );

  caseTest(
    cases,
    "10: a daemon that is stopped loses the address, and has it back",
    async (one) => {
      const { cluster: c } = one;
      await one.pool();
      await one.advertise();
      const address = one.addressWonBy("node3");
      await one.service(address);
      await one.untilAnsweredBy(address, "node3");
      await c.daemon("node3").kill("SIGTERM");
      await one.untilAnsweredBy(address, one.ranking(address)[1] ?? "");
      await c.start(c.node("node3"), { config: { preempt: true } });
      await one.untilAnsweredBy(address, "node3");
    },
  );

  caseTest(cases, "24: a preferred node that is excluded gives way, and reclaims", async (one) => {
    await one.pool();
    const address = one.addressWonBy("node1");
    const [, natural = "", preferred = ""] = one.ranking(address);
    await one.advertise({ preferredNodeSelectors: [prefer("case24=yes")] });
    await one.labelNode(preferred, "case24=yes");
    await one.service(address);
    await one.untilAnsweredBy(address, preferred);
    await one.labelNode(preferred, `${EXCLUDE}=`);
    await one.untilAnsweredBy(address, "node1");
    await one.labelNode("node1", `${EXCLUDE}=`);
    await one.untilAnsweredBy(address, natural);
    await one.labelNode("node1", `${EXCLUDE}-`);
    await one.labelNode(preferred, `${EXCLUDE}-`);
    await one.untilAnsweredBy(address, preferred);
  });
}

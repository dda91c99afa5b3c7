// Cases about two families: which pool, which family first, and what a change of either does.

import { caseTest, type MetallbCase } from "./case.ts";
import type { CaseCluster } from "./case-cluster.ts";

const PREFER = { ipFamilyPolicy: "PreferDualStack" };
const REQUIRE = { ipFamilyPolicy: "RequireDualStack" };
const SIX_FIRST = { ...PREFER, ipFamilies: ["IPv6", "IPv4"] };

export function dualStackCases(cases: () => CaseCluster): void {
  caseTest(cases, "7: a pool of both families wins over one of one", async (one) => {
    await four(one, "case7-a", 0);
    await dual(one, "case7-b", 1);
    const name = await one.service(null, { spec: PREFER });
    await one.untilHas(name, one.address(1), six(1));
  });

  caseTest(cases, "7: of pools of one family IPv4 comes first, or what is first", async (one) => {
    await four(one, "case7-four", 0);
    await one.pool({ addresses: [`${six(0)}/128`], autoAssign: true }, "case7-six");
    const usual = await one.service(null, { name: "usual", spec: PREFER });
    await one.untilHas(usual, one.address(0));
    const other = await one.service(null, { name: "other", spec: SIX_FIRST });
    await one.untilHas(other, six(0));
  });

  caseTest(
    cases,
    "7: to require what cannot be had loses it, to prefer it regains",
    async (one) => {
      await four(one, "case7-four", 0);
      const name = await one.service(null, { spec: PREFER });
      await one.untilHas(name, one.address(0));
      await one.patchService(name, { spec: REQUIRE });
      await one.untilHas(name);
      await one.patchService(name, { spec: PREFER });
      await one.untilHas(name, one.address(0));
    },
  );

  caseTest(cases, "7: who has one family does not jump to a pool of both", async (one) => {
    await four(one, "case7-four", 0);
    const name = await one.service(null, { spec: PREFER });
    await one.untilHas(name, one.address(0));
    await dual(one, "case7-dual", 1);
    // The new pool is in use when a Service has an address of it.
    const other = await one.service(null, { name: "other", spec: REQUIRE });
    await one.untilHas(other, one.address(1), six(1));
    await one.untilHas(name, one.address(0));
  });

  caseTest(cases, "7: who had both moves when its pool has one family now", async (one) => {
    await dual(one, "case7-a", 0);
    const name = await one.service(null, { spec: PREFER });
    await one.untilHas(name, one.address(0), six(0));
    await dual(one, "case7-b", 1);
    await four(one, "case7-a", 0);
    await one.untilHas(name, one.address(1), six(1));
  });
}

/** Of address `index` alone. */
function four(one: MetallbCase, name: string, index: number): Promise<void> {
  return one.pool({ addresses: [`${one.address(index)}/32`], autoAssign: true }, name);
}

function dual(one: MetallbCase, name: string, index: number): Promise<void> {
  const addresses = [`${one.address(index)}/32`, `${six(index)}/128`];
  return one.pool({ addresses, autoAssign: true }, name);
}

function six(index: number): string {
  return `2001:db8:7::${index + 1}`;
}

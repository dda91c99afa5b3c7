// Cases about who may announce: selectors of nodes, Services, pools and interfaces.

import assert from "node:assert/strict";
import { eventually } from "../../lab/eventually.ts";
import type { SegmentName } from "../../lab/segment.ts";
import { caseTest, EXCLUDE, type MetallbCase, selectNodes } from "./case.ts";
import type { CaseCluster } from "./case-cluster.ts";

const EXPOSED = [{ matchLabels: { expose: "yes" } }];
const DATA: readonly SegmentName[] = ["data", "data2"];

export function selectorCases(cases: () => CaseCluster): void {
  nodeSelectorCases(cases);
  serviceSelectorCases(cases);

  caseTest(cases, "16: two advertisements of one pool answer on both interfaces", async (one) => {
    await one.pool();
    const nodeSelectors = selectNodes("node2");
    await one.advertise({ interfaces: ["eth0"], nodeSelectors }, "case16-first");
    await one.advertise({ interfaces: ["eth1"], nodeSelectors }, "case16-second");
    await one.service(one.address(0));
    await untilAnswers(one, one.address(0), ["node2 on data", "node2 on data2"]);
    await one.remove("L2Advertisement", "case16-first");
    await untilAnswers(one, one.address(0), ["node2 on data2"]);
  });

  caseTest(cases, "19: of two advertisements and two nodes one announces", async (one) => {
    await one.pool();
    await one.advertise({ nodeSelectors: selectNodes("node1") }, "case19-first");
    await one.advertise({ nodeSelectors: selectNodes("node2") }, "case19-second");
    for (const winner of ["node1", "node2"]) {
      const address = one.addressWonBy(winner, ["node1", "node2"]);
      await one.service(address, { name: winner });
      await one.untilAnsweredBy(address, winner);
      const { client } = one.cluster.lab;
      assert.deepEqual(await client.whoAnswers(address), [one.cluster.node(winner).mac()]);
    }
  });
}

function nodeSelectorCases(cases: () => CaseCluster): void {
  caseTest(cases, "11: a selector of one node: that node, each in turn", async (one) => {
    await one.pool();
    const address = one.address(0);
    await one.service(address);
    for (const node of one.nodes) {
      await one.advertise({ nodeSelectors: selectNodes(node) });
      await one.untilAnsweredBy(address, node);
    }
  });

  caseTest(cases, "12: two node selectors: the union", async (one) => {
    await one.pool();
    await one.advertise({ nodeSelectors: selectNodes("node1", "node3") });
    // One that the node left out would have, and of the others one each.
    const left = one.addressWonBy("node2");
    const won = ["node1", "node3"].map((node) => one.addressWonBy(node, ["node1", "node3"]));
    for (const address of new Set([left, ...won])) {
      await one.service(address, { name: `s${address.split(".")[3]}` });
      await one.untilAnsweredBy(address, one.ranking(address, ["node1", "node3"])[0] ?? "");
    }
  });

  caseTest(
    cases,
    "13: a selector of nobody announces nothing until a node matches",
    async (one) => {
      await one.pool();
      await one.advertise({ nodeSelectors: [{ matchLabels: { case13: "yes" } }] });
      const address = one.address(0);
      await one.service(address);
      await one.untilExplained(address, /node3.*not selected by L2Advertisement "case13"/);
      await one.untilSilent(address);
      await one.labelNode("node3", "case13=yes");
      await one.untilAnsweredBy(address, "node3");
    },
  );

  caseTest(cases, "13: the label that excludes wins over a node selector", async (one) => {
    await one.pool();
    await one.advertise({ nodeSelectors: selectNodes("node1") });
    const address = one.address(0);
    await one.service(address);
    await one.untilAnsweredBy(address, "node1");
    await one.labelNode("node1", `${EXCLUDE}=`);
    await one.untilSilent(address);
    await one.labelNode("node1", `${EXCLUDE}-`);
    await one.untilAnsweredBy(address, "node1");
  });
}

function serviceSelectorCases(cases: () => CaseCluster): void {
  caseTest(cases, "18: pool and Service selectors must both hold, as labels flip", async (one) => {
    await one.pool({}, one.name, { tier: "edge" });
    const other = { addresses: [`${one.address(7)}/32`] };
    await one.pool({ addresses: [`${one.address(0)}-${one.address(6)}`] }, one.name, {
      tier: "edge",
    });
    await one.pool(other, "case18-other");
    const ipAddressPoolSelectors = [{ matchLabels: { tier: "edge" } }];
    const selectors = { ipAddressPools: [], ipAddressPoolSelectors, serviceSelectors: EXPOSED };
    await one.advertise(selectors);
    const [address, unselected] = [one.address(0), one.address(7)];
    const name = await one.service(address, { name: "flips" });
    await one.service(unselected, { name: "other-pool", labels: { expose: "yes" } });
    await one.untilExplained(address, /no L2Advertisement of pool "case18" selects its Service/);
    await one.untilSilent(address);
    await one.labelService(name, "expose=yes");
    await one.untilAnsweredBy(address, one.ranking(address)[0] ?? "");
    await one.untilExplained(unselected, /no L2Advertisement covers pool "case18-other"/);
    await one.untilSilent(unselected);
    await one.labelService(name, "expose-");
    await one.untilSilent(address);
  });

  caseTest(cases, "20: an advertisement for its Service, one for its node: nobody", async (one) => {
    await one.pool();
    const nowhere = [{ matchLabels: { case20: "no-node" } }];
    await one.advertise({ nodeSelectors: nowhere, serviceSelectors: EXPOSED }, "case20-service");
    const others = [{ matchLabels: { expose: "no" } }];
    await one.advertise({ serviceSelectors: others }, "case20-node");
    const address = one.address(0);
    await one.service(address, { labels: { expose: "yes" } });
    await one.untilExplained(address, /not selected by L2Advertisement "case20-service"/);
    await one.untilSilent(address);
  });

  caseTest(cases, "21: of several Service selectors one is enough", async (one) => {
    await one.pool();
    const serviceSelectors = [...EXPOSED, { matchLabels: { tier: "edge" } }];
    await one.advertise({ serviceSelectors });
    const labels = { exposed: { expose: "yes" }, edge: { tier: "edge" }, none: {} };
    for (const [i, [name, its]] of Object.entries(labels).entries()) {
      await one.service(one.address(i), { name, labels: its });
    }
    for (const address of [one.address(0), one.address(1)]) {
      await one.untilAnsweredBy(address, one.ranking(address)[0] ?? "");
    }
    await one.untilExplained(one.address(2), /no L2Advertisement of pool "case21" selects/);
    await one.untilSilent(one.address(2));
  });

  caseTest(cases, "21: a Service that may share is announced by no such selector", async (one) => {
    await one.pool();
    await one.advertise({ serviceSelectors: EXPOSED });
    const annotations = { "metallb.io/allow-shared-ip": "" };
    const address = one.address(0);
    await one.service(address, { annotations, labels: { expose: "yes" } });
    await one.untilExplained(address, /allow-shared-ip, which cannot be used with the/);
    await one.untilSilent(address);
  });
}

/** Until exactly these answer, on the two segments together. */
async function untilAnswers(one: MetallbCase, address: string, expected: readonly string[]) {
  const { client, nodes } = one.cluster.lab;
  const onSegment = async (segment: SegmentName): Promise<string[]> => {
    const device = client.linkOn(segment).ends.interfaceName;
    const from = ["-s", client.address(segment), "-I", device];
    const argv = ["arping", "-b", "-c", "2", "-w", "1", ...from, address];
    const { stdout } = await client.tryRun(argv);
    const macs = [...stdout.matchAll(/\[([0-9A-F:]{17})\]/gi)].map(([, mac]) => mac?.toLowerCase());
    return [...new Set(macs)].map((mac) => {
      const node = nodes.find((candidate) => candidate.mac(segment) === mac);
      return `${node?.name ?? mac} on ${segment}`;
    });
  };
  const ask = async () => (await Promise.all(DATA.map(onSegment))).flat().sort();
  await eventually(`answers from ${expected.join(", ")}`, ask, {
    timeoutMs: 30_000,
    until: (found) => found.join() === expected.join(),
  });
}

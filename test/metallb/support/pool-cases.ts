// Cases about who gets an address of a pool: who waits, who shares, whose pool goes or is for some.

import assert from "node:assert/strict";
import type { DaemonCluster } from "../../cluster/support/daemon-cluster.ts";
import { eventually } from "../../lab/eventually.ts";
import { caseTest, type MetallbCase } from "./case.ts";
import type { CaseCluster } from "./case-cluster.ts";

const RESTARTS = 5;
const LEADER_TIMEOUT_MS = 40_000;

export function poolCases(cases: () => CaseCluster): void {
  caseTest(cases, "1: who waits gets the one address when it is given up", async (one) => {
    const address = one.address(0);
    await one.pool({ addresses: [`${address}/32`], autoAssign: true });
    const first = await one.service(null, { name: "first" });
    await one.untilHas(first, address);
    const second = await one.service(null, { name: "second" });
    await one.untilEvent(second, "AllocationFailed");
    await one.untilHas(second);
    await one.patchService(first, { spec: { type: "ClusterIP" } });
    await one.untilHas(second, address);
    await one.untilHas(first);
    const third = await one.service(null, { name: "third" });
    await one.untilEvent(third, "AllocationFailed");
    await one.removeService(second);
    await one.untilHas(third, address);
  });

  caseTest(cases, "2: a new allocator leaves all as it was, five times", newAllocators);
  caseTest(cases, "3: a shared address under Local, and selectors that change", sharedUnderLocal);

  caseTest(cases, "4: without any pool the address goes", async (one) => {
    await one.pool({ autoAssign: true });
    const name = await one.service(null);
    await one.untilHas(name, one.address(0));
    await one.remove("IPAddressPool", one.name);
    await one.untilHas(name);
    assert.equal((await one.status(name)).pool, undefined);
    await one.untilSilent(one.address(0));
    await one.pool({ autoAssign: true });
    await one.untilHas(name, one.address(0));
  });

  caseTest(cases, "5: when its pool goes, a Service gets an address of another", async (one) => {
    const [first, second] = [one.address(0), one.address(1)];
    await one.pool({ addresses: [`${first}/32`], autoAssign: true }, "case5-a");
    await one.pool({ addresses: [`${second}/32`], autoAssign: true }, "case5-b");
    const name = await one.service(null);
    await one.untilHas(name, first);
    await one.remove("IPAddressPool", "case5-a");
    await one.untilHas(name, second);
    assert.equal((await one.status(name)).pool, "case5-b");
    const note = await one.untilEvent(name, "ClearAssignment");
    assert.ok(note.includes(`["${first}"] is not allowed in config`), note);
  });

  priorityCases(cases);
}

/** By what the two pools with a priority are for. */
const ALLOTMENTS: Readonly<Record<string, object>> = {
  "its namespace": { namespaces: ["default"] },
  "everybody, with a priority": {},
  "its namespace and labels": {
    namespaces: ["default"],
    serviceSelectors: [{ matchLabels: { tier: "edge" } }],
  },
  "its labels": { serviceSelectors: [{ matchLabels: { tier: "edge" } }] },
  "its namespace by label": {
    namespaceSelectors: [{ matchLabels: { "kubernetes.io/metadata.name": "default" } }],
  },
};

function priorityCases(cases: () => CaseCluster): void {
  for (const [whom, allotment] of Object.entries(ALLOTMENTS)) {
    const title = `6: pools for ${whom} come first by priority, then the others` as const;
    caseTest(cases, title, async (one) => {
      await priorityPools(one, allotment);
      for (const [i, name] of ["s0", "s1", "s2"].entries()) {
        const service = await one.service(null, { name, labels: { tier: "edge" } });
        await one.untilHas(service, one.address(i));
      }
    });
  }

  caseTest(cases, "6: a Service whose label goes while it runs leaves the pool", async (one) => {
    await priorityPools(one, ALLOTMENTS["its labels"] ?? {});
    const name = await one.service(null, { labels: { tier: "edge" } });
    await one.untilHas(name, one.address(0));
    await one.labelService(name, "tier-");
    await one.untilHas(name, one.address(2));
    await one.labelService(name, "tier=edge");
    const other = await one.service(null, { name: "other" });
    await one.untilEvent(other, "AllocationFailed");
    await one.untilHas(name, one.address(2));
  });
}

/** One address each: first in priority, second, and a pool for everybody. */
async function priorityPools(one: MetallbCase, allotment: object): Promise<void> {
  const entries = [
    ["case6-z", { priority: 10, ...allotment }],
    ["case6-y", { priority: 20, ...allotment }],
    ["case6-a", null],
  ] as const;
  for (const [i, [name, serviceAllocation]] of entries.entries()) {
    const addresses = [`${one.address(i)}/32`];
    const rest = serviceAllocation === null ? {} : { serviceAllocation };
    await one.pool({ addresses, autoAssign: true, ...rest }, name);
  }
}

async function sharedUnderLocal(one: MetallbCase): Promise<void> {
  const address = one.address(0);
  await one.pool({ addresses: [`${address}/32`], autoAssign: true });
  const annotations = { "metallb.io/allow-shared-ip": "case3" };
  const plan = (port: number) => ({ ports: [{ port }], selector: { app: "case3" } });
  const first = await one.service(null, { name: "first", annotations, spec: plan(80) });
  const second = await one.service(null, { name: "second", annotations, spec: plan(81) });
  await one.untilHas(first, address);
  await one.untilHas(second, address);
  const local = { spec: { externalTrafficPolicy: "Local" } };
  await one.patchService(second, local);
  await one.untilHas(second);
  await one.untilHas(first, address);
  await one.patchService(first, local);
  await one.untilHas(second, address);
  await one.untilHas(first, address);
  await one.patchService(second, { spec: { selector: { app: "other" } } });
  await one.untilHas(second);
  await one.untilHas(first, address);
  await one.patchService(second, { spec: { selector: { app: "case3" } } });
  await one.untilHas(second, address);
}

async function newAllocators(one: MetallbCase): Promise<void> {
  const { cluster: c } = one;
  await one.pool({ addresses: [`${one.address(0)}-${one.address(2)}`], autoAssign: true });
  const names: string[] = [];
  for (const name of ["a", "b", "c"]) names.push(await one.service(null, { name }));
  for (const [i, name] of names.entries()) await one.untilHas(name, one.address(i));
  const waiting = await one.service(null, { name: "waiting" });
  await one.untilEvent(waiting, "AllocationFailed");
  const before = await versions(c, [...names, waiting]);
  const started: Promise<unknown>[] = [];
  for (let i = 0; i < RESTARTS; i++) {
    const leader = await untilAllocator(c, waiting);
    await c.daemon(leader).kill("SIGTERM");
    c.daemons.delete(leader);
    await untilAllocator(c, waiting);
    started.push(c.start(c.node(leader)));
    assert.deepEqual(await versions(c, [...names, waiting]), before, "nothing was written");
  }
  await Promise.all(started);
}

/** The node whose daemon allocates, once it has decided on the Service that has to wait. */
function untilAllocator(c: DaemonCluster, waiting: string): Promise<string> {
  const find = async () => {
    for (const [node, daemon] of c.daemons) {
      const services = await daemon.items<{ service: string; pending: string | null }>(
        "/v1/services",
      );
      const found = services.find(({ service }) => service === `default/${waiting}`);
      // Only the leader knows why.
      if (found !== undefined && found.pending !== null) return node;
    }
    return "";
  };
  return eventually("a leader", find, { timeoutMs: LEADER_TIMEOUT_MS, intervalMs: 100 });
}

interface Versioned {
  readonly metadata: { readonly resourceVersion: string };
}

/** They change with every write. */
async function versions(c: DaemonCluster, names: readonly string[]): Promise<string[]> {
  const all = names.map((name) => c.controlPlane.get<Versioned>("service", name));
  return (await Promise.all(all)).map(({ metadata }) => metadata.resourceVersion);
}

// Tests of what is made of a cluster that has MetalLB: each trap by the cluster that has it, the
// settings that flags and files become, and the way over and back.

import assert from "node:assert/strict";
import { test } from "node:test";
import { SCHEMA } from "../../../src/api/types.ts";
import { importText } from "../../../src/cli/import-text.ts";
import { importPlan } from "../../../src/migration/import-plan.ts";
import type { Inventory } from "../../../src/migration/inventory.ts";
import { settingsOf } from "../../../src/migration/settings.ts";
import { trapsOf } from "../../../src/migration/traps.ts";

const CLEAN: Inventory = {
  namespace: "metallb-system",
  workloads: [],
  services: [],
  resources: { IPAddressPool: ["lan"], L2Advertisement: ["all"] },
  definitions: [],
  webhooks: [],
  present: ["metallb-system/metallb-webhook-service"],
  ownedByPods: {},
  configMaps: {},
  excludedNodes: [],
  nodes: ["n1", "n2"],
  unread: [],
};

const DEFINITION = { name: "bgppeers.metallb.io", isHelms: false, isKept: false, conversion: null };
const WEBHOOK = {
  name: "metallb-webhook-configuration",
  resourceVersion: "7",
  services: ["metallb-system/metallb-webhook-service"],
  isFatal: true,
};

interface Row {
  readonly name: string;
  readonly changes: Partial<Inventory>;
  readonly what: RegExp;
  readonly next: RegExp;
  readonly remedies?: readonly string[];
}

const TRAPS: readonly Row[] = [
  {
    name: "CRDs of Helm",
    changes: { definitions: [{ ...DEFINITION, isHelms: true }] },
    what: /^"helm uninstall" would delete 1 CRD, and all/,
    next: /^lbctl import metallb --apply; then helm upgrade .*crds\.enabled=false/,
    remedies: ["keep-definition bgppeers.metallb.io"],
  },
  {
    name: "CRDs of Helm that are annotated, which an uninstall does not heed",
    changes: { definitions: [{ ...DEFINITION, isHelms: true, isKept: true }] },
    what: /^"helm uninstall" would delete 1 CRD, and all/,
    next: /^helm upgrade .*crds\.enabled=false/,
  },
  {
    name: "a converter that is gone",
    changes: { definitions: [{ ...DEFINITION, conversion: "old/gone" }] },
    what: /cannot be read in all versions: its converter "old\/gone" is gone/,
    next: /kubectl apply -f deploy\/crds\.yaml/,
  },
  {
    name: "a converter that is still there",
    changes: { definitions: [{ ...DEFINITION, conversion: CLEAN.present?.[0] ?? "" }] },
    what: /is converted by MetalLB's/,
    next: /kubectl apply -f deploy\/crds\.yaml/,
  },
  {
    name: "a webhook whose Service is gone",
    changes: { webhooks: [WEBHOOK], present: [] },
    what: /"metallb-webhook-configuration" refuses every write of a pool/,
    next: /--apply/,
    remedies: ["remove-webhook metallb-webhook-configuration 7"],
  },
  {
    name: "a webhook in use, which is not removed",
    changes: { webhooks: [WEBHOOK] },
    what: /needs MetalLB's controller/,
    next: /^once the controller is scaled to 0: kubectl delete/,
  },
  {
    name: "a webhook of which it cannot be told, which is not removed",
    changes: { webhooks: [WEBHOOK], present: null },
    what: /needs MetalLB's controller/,
    next: /^once/,
  },
  {
    name: "a webhook that asks two Services, of which one is there",
    changes: { webhooks: [{ ...WEBHOOK, services: ["a/gone", ...WEBHOOK.services] }] },
    what: /needs MetalLB's controller/,
    next: /^once/,
  },
  {
    name: "a webhook that asks by URL",
    changes: { webhooks: [{ ...WEBHOOK, services: [] }], present: [] },
    what: /needs MetalLB's controller/,
    next: /^once/,
  },
  {
    name: "pools that nothing announces",
    changes: { resources: { IPAddressPool: ["lan"] } },
    what: /^No L2Advertisement: addresses are given, and nobody answers/,
    next: /lbctl config convert/,
  },
  {
    name: "pools that are announced by BGP alone",
    changes: { resources: { IPAddressPool: ["lan"], BGPAdvertisement: ["all"] } },
    what: /^Nobody would announce what 1 BGPAdvertisement announces now/,
    next: /leave MetalLB where BGP is needed/,
  },
  {
    name: "addresses that stand in statuses alone",
    changes: {
      services: [
        { key: "a/b", addresses: ["10.0.0.1"], loadBalancerClass: null, annotations: [] },
        { key: "a/c", addresses: [], loadBalancerClass: null, annotations: [] },
      ],
    },
    what: /is told by 1 status alone/,
    next: /services-before\.yaml/,
  },
  {
    name: "statuses that go with the pods",
    changes: { ownedByPods: { ServiceL2Status: 3, ConfigurationState: 2, ServiceBGPStatus: 0 } },
    what: /^3 ServiceL2Status, 2 ConfigurationState go with MetalLB's pods/,
    next: /lbctl vips/,
  },
  {
    name: "a node that is excluded",
    changes: { excludedNodes: ["n1"] },
    what: /^1 node excluded/,
    next: /^nothing, if it is meant/,
  },
  {
    name: "a cluster of which every node is excluded",
    changes: { excludedNodes: ["n1", "n2"] },
    what: /^Every node is excluded/,
    next: /kubectl label node n1 .*-$/,
  },
  {
    name: "lines of FRR",
    changes: { configMaps: { bgpextras: { extras: "router bgp 1" } } },
    what: /"bgpextras"/,
    next: /routing daemon/,
  },
];

for (const { name, changes, what, next, remedies = [] } of TRAPS) {
  test(`trapsOf() finds ${name}, and says what to do`, () => {
    const [trap, ...more] = trapsOf({ ...CLEAN, ...changes });
    assert.deepEqual(more, []);
    assert.match(trap?.what ?? "", what);
    assert.match(trap?.next ?? "", next);
    const found = trap?.remedies.map((remedy) => Object.values(remedy).join(" "));
    assert.deepEqual(found, remedies);
  });
}

const NO_TRAPS: readonly (readonly [name: string, changes: Partial<Inventory>])[] = [
  ["a clean cluster", {}],
  ["CRDs that somebody applied", { definitions: [DEFINITION] }],
  ["a webhook that nobody waits for", { webhooks: [{ ...WEBHOOK, isFatal: false }], present: [] }],
  ["a cluster without pools", { resources: {} }],
  ["an empty ConfigMap of FRR", { configMaps: { bgpextras: { extras: " \n" } } }],
];

for (const [name, changes] of NO_TRAPS) {
  test(`trapsOf() finds none in ${name}`, () => {
    assert.deepEqual(trapsOf({ ...CLEAN, ...changes }), []);
  });
}

function started(...given: readonly string[]): Partial<Inventory> {
  const about = { namespace: "metallb-system", name: "speaker", images: ["i"], environment: {} };
  return { workloads: [{ ...about, kind: "DaemonSet", arguments: given, available: 2 }] };
}

const EXCLUDED = (text: string) => ({
  configMaps: { "metallb-excludel2": { "excludel2.yaml": text } },
});

const SETTINGS: readonly (readonly [string, Partial<Inventory>, readonly string[]])[] = [
  ["nothing special", started("--port=7472", "--log-level=info"), []],
  ["a class", started("--lb-class=metal.io/lb"), ['loadBalancerClass: "metal.io/lb"']],
  ["a class as the next word", started("--lb-class", "x"), ['loadBalancerClass: "x"']],
  ["an empty class", started("--lb-class="), []],
  ["the label ignored", started("--ignore-exclude-lb"), ["ignoreExcludeLabel: true"]],
  ["the label not ignored", started("--ignore-exclude-lb=false"), []],
  ["another namespace", { namespace: "lb" }, ["namespace: lb"]],
  [
    "interfaces one a line",
    EXCLUDED('announcedInterfacesToExclude:\n- ^docker.*\n- "^lo$"\n'),
    ['excludeInterfaces: ["^docker.*","^lo$"]'],
  ],
  [
    "interfaces in brackets",
    EXCLUDED("announcedInterfacesToExclude: [\"^docker.*\", '^lo$']\n"),
    ['excludeInterfaces: ["^docker.*","^lo$"]'],
  ],
  ["a file of something else", EXCLUDED("other: 1"), []],
];

for (const [name, changes, expected] of SETTINGS) {
  test(`settingsOf() of ${name}`, () => {
    assert.deepEqual(settingsOf({ ...CLEAN, ...changes }), expected);
  });
}

test("importPlan() of a running MetalLB says the way over and back, with its names", () => {
  const controller = { ...started().workloads?.[0], kind: "Deployment", name: "mlb-controller" };
  const workloads = [...(started().workloads ?? []), controller as Inventory["workloads"][number]];
  const plan = importPlan({ ...CLEAN, namespace: "lb", workloads });
  const way = plan.takeover.join("\n");
  assert.match(way, /kubectl scale deployment mlb-controller -n lb --replicas=0/);
  assert.match(way, /kubectl patch daemonset speaker -n lb -p '\{"spec":/);
  const steps = way.match(/^# \d/gm);
  assert.deepEqual(steps, ["# 1", "# 2", "# 3", "# 4", "# 5", "# 6"]);
  assert.match(plan.rollBack.join("\n"), /mlb-controller -n lb --replicas=1/);
});

test("importPlan() without MetalLB has no way back", () => {
  const plan = importPlan(CLEAN);
  assert.deepEqual([plan.takeover.length, plan.rollBack], [1, []]);
});

test("importText() has the traps first, and keeps to 80 columns but for commands", () => {
  const changes = Object.assign({}, started("--lb-class=x"), ...TRAPS.map((row) => row.changes));
  const plan = importPlan({ ...CLEAN, ...changes });
  const item = { ...plan, done: ["CRD kept: x"], allocations: { keeping: 3, others: [] } };
  const text = importText({ item });
  assert.match(text, /^traps {5}\d+\n/);
  assert.match(text, /^addresses all 3 are kept as they are$/m);
  assert.match(text, /^applied {3}CRD kept: x$/m);
  const long = text.split("\n").filter((line) => line.length > 80 && !/^[#k]/.test(line));
  assert.deepEqual(long, []);
  assert.equal(SCHEMA, "lbd/v1", "what is shown says this schema");
});

test("importText() of addresses that are not known, or not kept, says so", () => {
  const base = { ...importPlan(CLEAN), done: [] };
  assert.match(importText({ item: { ...base, allocations: null } }), /^addresses not known: /m);
  const other = { service: "a/b" } as never;
  const lost = importText({ item: { ...base, allocations: { keeping: 1, others: [other] } } });
  assert.match(lost, /^addresses 1 are kept; not kept: 1 \(a\/b\): lbctl plan shadow$/m);
});

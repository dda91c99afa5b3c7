// Tests of the plan of a changed configuration: what becomes of each Service's addresses and of
// where they are announced, as a table of files; and that the plan is what the leader then does.

import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import type { ConfigPlanView } from "../../../src/api/plan-view.ts";
import { readManifests } from "../../../src/config/manifests.ts";
import { bootMs } from "../../../src/core/time.ts";
import { allocatablePools } from "../../../src/daemon/allocatable-pools.ts";
import { AllocationController } from "../../../src/daemon/allocation-controller.ts";
import { ConfigPlanner } from "../../../src/daemon/config-planner.ts";
import { ServiceEvents } from "../../../src/daemon/service-events.ts";
import type { Service } from "../../../src/k8s-sync/model.ts";
import { objectKey } from "../../../src/k8s-sync/model.ts";
import type { ClusterObjects } from "../../support/kubernetes-objects.ts";
import { clusterOf, node, resource, service } from "../../support/kubernetes-objects.ts";
import { NOTHING_WITHHELD, nothingFormer } from "./former-harness.ts";

const PLACES = { namespace: "metallb-system", legacyConfigMap: "metallb-system/config" };

function manifest(kind: string, name: string, spec: object, more: object = {}): string {
  const metadata = { name, namespace: "metallb-system" };
  return JSON.stringify({ apiVersion: "metallb.io/v1beta1", kind, metadata, spec, ...more });
}

const pool = (name: string, ...addresses: string[]) =>
  manifest("IPAddressPool", name, { addresses });
const ad = (name: string, spec: object) => manifest("L2Advertisement", name, spec);

/** Two nodes, pool lan of four addresses announced everywhere, and the Services given. */
function clusterWith(services: readonly Service[], more: Partial<ClusterObjects> = {}) {
  return clusterOf({
    services,
    nodes: [node("n1", { labels: { rack: "a" } }), node("n2")],
    pools: [withHome(resource("lan", { addresses: ["10.0.0.1-10.0.0.4"] }))],
    advertisements: [withHome(resource("all"))],
    ...more,
  });
}

function withHome<T extends { metadata: object }>(object: T): T {
  return { ...object, metadata: { ...object.metadata, namespace: "metallb-system" } };
}

function plannerOf(cluster: ReturnType<typeof clusterOf>, owners: Record<string, string> = {}) {
  return new ConfigPlanner({
    places: PLACES,
    clock: { boot: () => bootMs(0) },
    cluster,
    namespaces: { labels: new Map([["shop", {}]]) },
    reserved: () => new Map(),
    withheld: () => NOTHING_WITHHELD,
    machine: () => ({
      views: {
        state: (address: string) => ({ record: { owner: owners[address] ?? null } }),
        ranked: (spec: { placement: { nodes: Map<string, { allowed: boolean }> } }) =>
          [...spec.placement.nodes].flatMap(([name, one]) => (one.allowed ? [name] : [])),
      } as never,
    }),
  });
}

function plan(
  cluster: ReturnType<typeof clusterOf>,
  texts: readonly string[],
  options: { replace?: boolean; owners?: Record<string, string> } = {},
): ConfigPlanView {
  const files = [{ name: "a.yaml", text: texts.join("\n---\n") }];
  const planner = plannerOf(cluster, options.owners);
  const result = planner.plan({ files, replace: options.replace ?? false });
  assert.ok(result.ok);
  return result.value;
}

/** `web keeps 10.0.0.1 -> 10.0.0.1`, with what is said of it after a colon. */
function lines({ services }: ConfigPlanView): string[] {
  return services.map(({ service: key, change, before, after, why, announcement }) => {
    const said = [why, announcement].filter((text) => text !== null).join(" | ");
    const addresses = `${before.join("+") || "-"} -> ${after.join("+") || "-"}`;
    return `${key} ${change} ${addresses}${said === "" ? "" : `: ${said}`}`;
  });
}

const WEB = service("shop/web", { ips: ["10.0.0.1"] });
const DB = service("shop/db", { ips: ["10.0.0.2"] });
const LATE = service("shop/late");

interface Row {
  readonly name: string;
  readonly services: readonly Service[];
  readonly files: readonly string[];
  readonly replace?: true;
  readonly expected: readonly string[];
}

const GONE = '["10.0.0.2"] is not allowed in config: no one pool holds it';

const ROWS: readonly Row[] = [
  {
    name: "the same again: everybody keeps what they have",
    services: [WEB, DB],
    files: [pool("lan", "10.0.0.1-10.0.0.4")],
    expected: ["shop/db keeps 10.0.0.2 -> 10.0.0.2", "shop/web keeps 10.0.0.1 -> 10.0.0.1"],
  },
  {
    name: "a pool cut down: who is outside moves to the first free address",
    services: [WEB, DB],
    files: [pool("lan", "10.0.0.1/32", "10.0.0.4/32")],
    expected: [
      `shop/db moves 10.0.0.2 -> 10.0.0.4: ${GONE}`,
      "shop/web keeps 10.0.0.1 -> 10.0.0.1",
    ],
  },
  {
    name: "a pool too small: who is outside loses, and who waits goes on waiting",
    services: [WEB, DB, LATE],
    files: [pool("lan", "10.0.0.1/32")],
    expected: [
      `shop/db loses 10.0.0.2 -> -: ${GONE}; no available IPs: lan (1 of 1 used)`,
      "shop/late waits - -> -: no available IPs: lan (1 of 1 used)",
      "shop/web keeps 10.0.0.1 -> 10.0.0.1",
    ],
  },
  {
    name: "one more pool: who waits for it gains, and where nothing announces it, that is said",
    services: [service("shop/vip", { annotations: { "metallb.io/address-pool": "gold" } })],
    files: [pool("gold", "10.0.9.1/32"), ad("all", { ipAddressPools: ["lan"] })],
    expected: [
      'shop/vip gains - -> 10.0.9.1: not announced: no L2Advertisement covers pool "gold"',
    ],
  },
  {
    name: "a second family: added to what is kept",
    services: [
      service("shop/web", {
        ips: ["10.0.0.1"],
        spec: { ipFamilyPolicy: "PreferDualStack", clusterIPs: ["10.96.0.1", "fd00::1"] },
      }),
    ],
    files: [pool("lan", "10.0.0.1-10.0.0.4", "2001:db8::/127")],
    expected: ["shop/web gains 10.0.0.1 -> 10.0.0.1+2001:db8::"],
  },
  {
    name: "an address that another Service gives up is taken by who waits",
    services: [
      service("shop/a", { ips: ["10.0.0.2"] }),
      service("shop/b", { spec: { loadBalancerIP: "10.0.0.2" } }),
    ],
    files: [
      manifest("IPAddressPool", "lan", {
        addresses: ["10.0.0.1-10.0.0.2"],
        serviceAllocation: { serviceSelectors: [{ matchLabels: { a: "b" } }] },
      }),
      pool("rest", "10.0.0.3-10.0.0.4"),
    ],
    expected: [
      "shop/a moves 10.0.0.2 -> 10.0.0.3: pool lan not compatible for ip assignment: its " +
        "serviceAllocation leaves out the Service's namespace or labels",
      "shop/b waits - -> -: pool lan not compatible for ip assignment: its serviceAllocation " +
        "leaves out the Service's namespace or labels",
    ],
  },
  {
    name: "an advertisement that selects no Service: nobody announces any more",
    services: [WEB],
    files: [ad("all", { serviceSelectors: [{ matchLabels: { expose: "yes" } }] })],
    expected: [
      "shop/web keeps 10.0.0.1 -> 10.0.0.1: not announced any more: no L2Advertisement of pool " +
        '"lan" selects its Service (serviceSelectors)',
    ],
  },
  {
    name: "an advertisement for one rack, from one interface: who announces changes",
    services: [WEB],
    files: [ad("all", { nodeSelectors: [{ matchLabels: { rack: "a" } }], interfaces: ["eth1"] })],
    expected: [
      "shop/web keeps 10.0.0.1 -> 10.0.0.1: may be announced by n1, and not by n1, n2; from eth1 " +
        "(now: all that fit)",
    ],
  },
  {
    name: "no more than the file says: what is not in it is removed",
    services: [WEB],
    files: [pool("other", "10.0.1.0/30")],
    replace: true,
    expected: [
      "shop/web moves 10.0.0.1 -> 10.0.1.0: " +
        '["10.0.0.1"] is not allowed in config: no one pool holds it | ' +
        'not announced any more: no L2Advertisement covers pool "other"',
    ],
  },
];

for (const { name, services, files, replace, expected } of ROWS) {
  test(`planConfig() with ${name}`, () => {
    const view = plan(clusterWith(services), files, { replace: replace ?? false });
    assert.deepEqual([view.problems, lines(view)], [[], expected]);
  });

  test(`the leader does what was planned with ${name}`, async () => {
    const view = plan(clusterWith(services), files, { replace: replace ?? false });
    const planned = view.services.map((one) => [one.service, one.after.join()]);
    assert.deepEqual(await applied(services, files, replace ?? false), planned);
  });
}

/** What the leader's controller, which has worked with the old pools so far, makes of the new. */
async function applied(services: readonly Service[], files: readonly string[], replace: boolean) {
  const read = readManifests([{ name: "a.yaml", text: files.join("\n---\n") }]);
  assert.ok(read.ok);
  const before = clusterWith(services);
  const after = clusterWith(services, replace ? { pools: [], advertisements: [] } : {});
  for (const { kind, raw } of read.value) {
    if (kind !== "IPAddressPool") continue;
    const { metadata, spec } = raw as { metadata: { name: string }; spec: object };
    after.configSink("pool").upsert(withHome(resource(metadata.name, spec as never)));
  }
  const hasAddress = ({ status }: Service) => status.ingress.length > 0;
  const known = new Map(services.filter(hasAddress).map((one) => [objectKey(one), one]));
  const later: (() => void)[] = [];
  const controller = new AllocationController({
    services: () => known,
    patch: async (old, { ingress, annotations }) => {
      const metadata = { ...old.metadata, annotations: annotations as Record<string, string> };
      const value = { ...old, metadata, status: { ingress } };
      known.set(objectKey(old), value);
      return { ok: true, value };
    },
    events: new ServiceEvents({ node: "n1", record: () => {} }),
    isLeader: () => true,
    later: (_, run) => later.push(run),
    wire: { use: () => "free", handedOut: () => {} },
    former: nothingFormer(),
  });
  const poolsOf = (cluster: typeof before) => allocatablePools(cluster.config.pools, new Map());
  const settle = async () => {
    for (let quiet = 0; quiet < 5; quiet++) {
      await turn();
      for (let run = later.shift(); run !== undefined; run = later.shift()) run();
    }
  };
  controller.configure(poolsOf(before), new Map());
  controller.lead();
  await settle();
  // Had the old pools anything for those who wait, they would not.
  for (const one of services) if (!hasAddress(one)) known.set(objectKey(one), one);
  controller.configure(poolsOf(after), new Map());
  await settle();
  return [...known]
    .map(([key, one]) => [key, one.status.ingress.map(({ ip }) => ip).join()])
    .sort(([a = ""], [b = ""]) => (a < b ? -1 : 1));
}

test("planConfig() counts, and says which objects change", () => {
  const files = [pool("lan", "10.0.0.1/32"), pool("new", "10.0.5.0/30"), ad("all", {})];
  const view = plan(clusterWith([WEB, DB, LATE]), files);
  assert.deepEqual(view.summary, {
    ...{ keeps: 1, moves: 1, loses: 0, gains: 1, waits: 0 },
    announcements: 0,
  });
  assert.deepEqual(
    view.objects.map(({ object, change }) => `${object} ${change}`),
    [
      'IPAddressPool "metallb-system/lan" changed',
      'IPAddressPool "metallb-system/new" new',
      'L2Advertisement "metallb-system/all" unchanged',
    ],
  );
});

test("planConfig() says who answers, before and after", () => {
  const owners = { "10.0.0.1": "n2" };
  const rack = ad("all", { nodeSelectors: [{ matchLabels: { rack: "a" } }] });
  const [moved] = plan(clusterWith([WEB]), [rack], { owners }).services;
  assert.deepEqual([moved?.ownersBefore, moved?.ownersAfter], [["n2"], ["n1"]]);
  const [stays] = plan(clusterWith([WEB]), [ad("all", {})], { owners }).services;
  assert.deepEqual([stays?.ownersBefore, stays?.ownersAfter], [["n2"], ["n2"]]);
});

test("planConfig() of what is not valid names all problems, and plans nothing", () => {
  const files = [pool("lan", "10.0.0.9-10.0.0.1"), ad("x", { interfaces: ["a", "a"] })];
  const view = plan(clusterWith([WEB]), files);
  assert.deepEqual([view.valid, view.problems.length, view.services], [false, 2, []]);
  assert.match(view.problems[0] ?? "", /^IPAddressPool "metallb-system\/lan" spec\.addresses\[0\]/);
});

test("planConfig() of a file that cannot be read plans nothing either", () => {
  const view = plan(clusterWith([WEB]), ["a: ["]);
  assert.deepEqual([view.valid, view.problems.length], [false, 1]);
});

test("planConfig() takes the old ConfigMap, which has to agree with the resources", () => {
  const text = "address-pools: [{name: lan, protocol: layer2, addresses: [10.0.0.1-10.0.0.2]}]";
  const metadata = { name: "config", namespace: "metallb-system" };
  const map = JSON.stringify({
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata,
    data: { config: text },
  });
  assert.equal(plan(clusterWith([WEB]), [map]).valid, false);
  const alone = plan(clusterWith([WEB, service("shop/x", { ips: ["10.0.0.3"] })]), [map], {
    replace: true,
  });
  assert.deepEqual(
    alone.services.map(({ change }) => change),
    ["keeps", "moves"],
  );
});

const NOTICES: readonly (readonly [name: string, text: string, words: RegExp])[] = [
  ["another kind", "{apiVersion: apps/v1, kind: Deployment, metadata: {name: x}}", /no part of/],
  ["another group", "{apiVersion: a.b/v1, kind: IPAddressPool, metadata: {name: x}}", /no part of/],
  [
    "another namespace",
    "{apiVersion: metallb.io/v1beta1, kind: L2Advertisement, metadata: {name: x, namespace: y}}",
    /^L2Advertisement "y\/x" is not read by lbd, which reads namespace "metallb-system"/,
  ],
  ["another ConfigMap", "{apiVersion: v1, kind: ConfigMap, metadata: {name: x}}", /is not read by/],
  [
    "no namespace",
    "{apiVersion: metallb.io/v1beta1, kind: L2Advertisement, metadata: {name: x}}",
    /names no namespace: apply it with "-n metallb-system"$/,
  ],
  [
    "an object twice",
    `${ad("x", {})}\n---\n${ad("x", {})}`,
    /is there twice: the last one counts$/,
  ],
];

for (const [name, text, words] of NOTICES) {
  test(`planConfig() tells of ${name}`, () => {
    const view = plan(clusterWith([WEB]), [text]);
    assert.equal(view.notices.length, 1);
    assert.match(view.notices[0] ?? "", words);
    assert.equal(view.valid, true);
  });
}

test("ConfigPlanner refuses to plan with a cluster that it has not read", () => {
  const cluster = clusterWith([WEB]);
  const planner = new ConfigPlanner({
    ...{ places: PLACES, clock: { boot: () => bootMs(0) }, cluster },
    withheld: () => NOTHING_WITHHELD,
    ...{ namespaces: { labels: null }, reserved: () => new Map(), machine: () => assert.fail() },
  });
  const result = planner.plan({ files: [{ name: "a", text: "" }], replace: false });
  assert.ok(!result.ok);
  assert.equal(result.kind, "refused");
});

test("planConfig() of 5,000 Services takes less than a long pause", () => {
  const services = Array.from({ length: 5_000 }, (_, i) =>
    service(`shop/s${i}`, { ips: [`10.1.${i >> 8}.${i & 255}`] }),
  );
  const cluster = clusterWith(services, {
    pools: [withHome(resource("lan", { addresses: ["10.1.0.0/16"] }))],
  });
  const view = plan(cluster, [pool("lan", "10.2.0.0/16")]);
  assert.equal(view.summary.moves, 5_000);
});

// Tests of what the socket API shows of the daemon, on its real parts without I/O: VIPs, Services,
// pools, nodes, the status with its findings, and the history.

import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import { test } from "node:test";
import { COUNT_MAX } from "../../../src/api/types.ts";
import type { Ip } from "../../../src/core/address.ts";
import { bootMs, wallMs } from "../../../src/core/time.ts";
import { VERSION } from "../../../src/core/version.ts";
import { allocatablePools } from "../../../src/daemon/allocatable-pools.ts";
import { EXCLUDE_LABEL } from "../../../src/daemon/placements.ts";
import type { ViewSources } from "../../../src/daemon/views.ts";
import { ip } from "../../support/ipam-requests.ts";
import type { ClusterObjects } from "../../support/kubernetes-objects.ts";
import { node, resource, service } from "../../support/kubernetes-objects.ts";
import { UNMEASURED } from "../../support/unmeasured.ts";
import {
  HEALTHY_API,
  joinCluster,
  member,
  STARTED_MS,
  viewsOf,
  vipRecord,
} from "./views-harness.ts";

const FROM_LAN = { "metallb.io/ip-allocated-from-pool": "lan" };

const OBJECTS: ClusterObjects = {
  nodes: [node("n1"), node("n2")],
  pools: [
    resource("lan", { addresses: ["10.0.0.0/28", "2001:db8::/126"] }),
    resource("spare", {
      addresses: ["10.1.0.0/24"],
      autoAssign: false,
      avoidBuggyIPs: true,
    }),
  ],
  advertisements: [resource("all", { ipAddressPools: ["lan"] })],
  services: [
    service("shop/web", { ips: ["10.0.0.1", "2001:db8::1"], annotations: FROM_LAN }),
    service("shop/api", { ips: ["10.0.0.2"], annotations: FROM_LAN }),
    service("shop/shared", { ips: ["10.0.0.2"], annotations: FROM_LAN }),
    service("shop/inner", { spec: { type: "ClusterIP" } }),
    service("shop/others", { spec: { loadBalancerClass: "x" }, ips: ["10.0.0.3"] }),
  ],
};

const RECORDS = {
  vips: [vipRecord("10.0.0.1", "n1", 4), vipRecord("10.0.0.2", "n2", 7)],
  members: [member("n2")],
};

/** n1 owns 10.0.0.1, n2 owns 10.0.0.2. */
function running(t: TestContext, changes: Partial<ViewSources> = {}, objects = OBJECTS) {
  const harness = viewsOf(t, objects, changes);
  joinCluster(harness, RECORDS);
  return harness;
}

test("vips() shows every address, and what this node does about it", (t) => {
  assert.deepEqual(running(t).views.vips(), [
    {
      address: "10.0.0.1",
      pool: "lan",
      services: ["shop/web"],
      owner: "n1",
      epoch: 4,
      here: "owning",
      interfaces: ["eth0"],
      bgp: [],
      answered: 0,
    },
    {
      address: "2001:db8::1",
      pool: "lan",
      services: ["shop/web"],
      owner: null,
      epoch: 0,
      here: "idle",
      interfaces: [],
      bgp: [],
      answered: null,
    },
    {
      address: "10.0.0.2",
      pool: "lan",
      services: ["shop/api", "shop/shared"],
      owner: "n2",
      epoch: 7,
      here: "idle",
      interfaces: [],
      bgp: [],
      answered: null,
    },
  ]);
});

test("services() shows lbd's own by name, with the owner of each address", (t) => {
  const asked = { spec: { loadBalancerIP: "10.9.9.9" } };
  const bad = { spec: { loadBalancerIP: "x" } };
  const services = [...(OBJECTS.services ?? []), service("a/odd", bad), service("a/asks", asked)];
  const { views, allocation, cluster } = running(t, {}, { ...OBJECTS, services });
  allocation.configure(allocatablePools(cluster.config.pools, new Map()), new Map());
  allocation.lead();
  const list = views.services();
  assert.deepEqual(
    list.map((one) => one.service),
    ["a/asks", "a/odd", "shop/api", "shop/shared", "shop/web"],
  );
  const [asks, odd, , , web] = list;
  assert.deepEqual(web, {
    service: "shop/web",
    addresses: ["10.0.0.1", "2001:db8::1"],
    pool: "lan",
    requested: [],
    owners: ["n1", null],
    pending: null,
  });
  assert.deepEqual([asks?.requested, asks?.pool, asks?.owners], [["10.9.9.9"], null, []]);
  assert.match(asks?.pending ?? "", /10\.9\.9\.9/);
  assert.deepEqual(odd?.requested, []);
  assert.match(odd?.pending ?? "", /found "x", expected an IP/);
});

test("pools() counts what is assigned, and what is left without what is withheld", (t) => {
  const all = new Map([
    [ip("10.0.0.0"), "the network address of 10.0.0.0/28"],
    [ip("10.0.0.2"), "in use already, so not free anyway"],
    [ip("10.1.0.9"), 'the address of node "n2"'],
    [ip("192.168.0.1"), "in no pool"],
  ]);
  const reserved = () => ({ all, ofHosts: new Map() });
  assert.deepEqual(running(t, { reserved }).views.pools(), [
    {
      pool: "lan",
      addresses: ["10.0.0.0-10.0.0.15", "2001:db8::-2001:db8::3"],
      autoAssign: true,
      avoidBuggyIPs: false,
      assigned: { ipv4: 2, ipv6: 1 },
      available: { ipv4: 16 - 2 - 1, ipv6: 4 - 1 },
      withheld: [{ address: "10.0.0.0", because: "the network address of 10.0.0.0/28" }],
      advertisements: ["all"],
    },
    {
      pool: "spare",
      addresses: ["10.1.0.0-10.1.0.255"],
      autoAssign: false,
      avoidBuggyIPs: true,
      assigned: { ipv4: 0, ipv6: null },
      available: { ipv4: 256 - 2 - 1, ipv6: null },
      withheld: [{ address: "10.1.0.9", because: 'the address of node "n2"' }],
      advertisements: [],
    },
  ]);
});

test("pools() of the leader withholds what other hosts answer for", (t) => {
  const because = "quarantined: host 02:00:00:00:00:99, which is no node, answers for it";
  const free = ip("10.1.0.7");
  const probes = { note: () => null, quarantined: (): [Ip, string][] => [[free, because]] };
  const [, before] = running(t).views.pools();
  const [, spare] = running(t, { probes }).views.pools();
  assert.deepEqual(spare?.withheld, [{ address: free, because }]);
  assert.equal(spare?.available.ipv4, (before?.available.ipv4 ?? 0) - 1);
});

test("pools() keeps families apart, and caps each: a sum would be neither", (t) => {
  const pools = [
    resource("vast", { addresses: ["fc00::/7", "10.0.0.0/28"] }),
    resource("six", { addresses: ["2001:db8::/64"] }),
  ];
  const [six, vast] = running(t, {}, { ...OBJECTS, pools }).views.pools();
  assert.deepEqual(vast?.available, { ipv4: 14, ipv6: COUNT_MAX });
  assert.deepEqual(vast?.assigned, { ipv4: 2, ipv6: 0 });
  assert.deepEqual(six?.available, { ipv4: null, ipv6: COUNT_MAX });
});

test("nodes() joins the Nodes that the API knows with those that have a Lease", (t) => {
  const nodes = [
    node("n1"),
    node("n2", { conditions: [{ type: "Ready", status: "False" }] }),
    node("n3", { labels: { [EXCLUDE_LABEL]: "" } }),
    node("n4"),
  ];
  const harness = viewsOf(t, { ...OBJECTS, nodes });
  const members = [member("n2"), member("n4", { holder: null }), member("gone")];
  joinCluster(harness, { vips: RECORDS.vips, members });
  const listed = harness.views.nodes().map(({ jitterMs: _, ...node }) => node);
  assert.deepEqual(listed, [
    {
      node: "gone",
      member: "alive",
      daemon: null,
      owned: 0,
      excluded: "the API knows no Node of this name",
    },
    { node: "n1", member: "alive", daemon: "live", owned: 1, excluded: null },
    { node: "n2", member: "alive", daemon: null, owned: 1, excluded: "the Node is not Ready" },
    {
      node: "n3",
      member: "never-seen",
      daemon: null,
      owned: 0,
      excluded: `it has the label ${EXCLUDE_LABEL}`,
    },
    { node: "n4", member: "stopped", daemon: null, owned: 0, excluded: null },
  ]);
  harness.setNow(STARTED_MS + 15_000);
  const late = harness.views.nodes().map((one) => one.member);
  assert.deepEqual(late, ["suspect", "alive", "suspect", "never-seen", "stopped"]);
});

test("nodes() says that beacons are filtered where none arrive and the host answers", (t) => {
  const nodes = ["n1", "n2", "n3", "n4"].map((name) => node(name));
  const peer = (name: string, on: string, verdict: string) =>
    ({ node: name, interface: on, verdict, state: "live", jitterMs: 0 }) as const;
  const peers = [
    peer("n2", "eth0", "answers"),
    peer("n3", "eth0", "heard"),
    peer("n3", "eth1", "answers"),
    peer("n4", "eth0", "silent"),
  ];
  const report = {
    ...{ counters: {}, vips: [], problems: [], groupProblem: null, ...UNMEASURED },
    ...{ foreignClusters: [], peers },
  };
  const responder = {
    report: () => report,
    refresh: () => Promise.resolve(),
    answersFor: () => null,
    frames: () => Promise.resolve(null),
  };
  const { views } = viewsOf(t, { ...OBJECTS, nodes }, { responder });
  const states = views.nodes().map((one) => [one.node, one.daemon]);
  assert.deepEqual(states, [
    ["n1", "live"],
    ["n2", "filtered"],
    ["n3", "live"],
    ["n4", null],
  ]);
  const told = views.findings().filter(({ what }) => what.startsWith("Beacons of node"));
  assert.deepEqual(
    told.map(({ what }) => what.match(/"(.+)" do not arrive on (\S+),/)?.slice(1)),
    [
      ["n2", "eth0"],
      ["n3", "eth1"],
    ],
  );
});

test("status() of a daemon that is well counts what there is", (t) => {
  const services = OBJECTS.services?.filter((one) => one.metadata.name !== "web") ?? [];
  const web = service("shop/web", { ips: ["10.0.0.1"] });
  const counters = () => ({ answered: 7 });
  const harness = running(t, { counters }, { ...OBJECTS, services: [...services, web] });
  harness.setNow(STARTED_MS + 2_600);
  const { process: use, ...status } = harness.views.status();
  assert.ok(use.rssBytes > 0 && use.cpuSeconds > 0);
  assert.deepEqual(status, {
    node: "n1",
    version: VERSION,
    health: "ok",
    findings: [],
    cluster: null,
    uptimeSeconds: 3,
    api: { server: "https://api:6443", reachable: true, lastContactSecondsAgo: 3 },
    holdover: false,
    leader: { node: "n1", isThisNode: true },
    peers: { known: 1, heard: 0 },
    config: { valid: true, pools: 2, advertisements: 1, problems: [] },
    vips: { total: 2, ownedHere: 1, withoutOwner: 0 },
    counters: { answered: 7 },
  });
});

test("status() keeps counting the last valid configuration, and says that it is invalid", (t) => {
  const { views, cluster } = running(t);
  cluster.configSink("pool").upsert(resource("bad", { addresses: ["10.0.0.300"] }));
  const { config, health, findings } = views.status();
  const { problems, ...rest } = config;
  assert.deepEqual(rest, { valid: false, pools: 2, advertisements: 1 });
  assert.equal(problems.length, 1);
  assert.match(
    problems[0] ?? "",
    /^IPAddressPool "bad" spec\.addresses\[0\]: found "10\.0\.0\.300"/,
  );
  assert.equal(health, "degraded");
  assert.match(findings[0]?.cause ?? "", /^IPAddressPool "bad"/);
});

test("status() says that the API was never reached", (t) => {
  const api = () => ({ ...HEALTHY_API, isReachable: false, lastContactAt: null });
  const { api: shown } = running(t, { api }).views.status();
  const server = "https://api:6443";
  assert.deepEqual(shown, { server, reachable: false, lastContactSecondsAgo: null });
});

const whats = (harness: ReturnType<typeof running>) =>
  harness.views.findings().map(({ what, cause }) => [what, cause]);

test("findings() are passed on from all parts of the daemon", (t) => {
  const failures = new Map([["nodes", { kind: "timeout", message: "late" } as const]]);
  const leaseFailure = { kind: "timeout", message: "no lease" } as const;
  const harness = running(t, {
    api: () => ({ ...HEALTHY_API, failures, leaseFailure, lastContactAt: bootMs(0) }),
    host: () => ({ missingInterfaces: ["eth7"], linkFailure: "ENOBUFS" }),
    reserved: () => ({ all: new Map(), ofHosts: new Map([[ip("10.1.0.9"), "node n2's"]]) }),
  });
  assert.deepEqual(whats(harness), [
    ["The host's interfaces cannot be read", "ENOBUFS"],
    ["The Kubernetes API does not give nodes: what was last read is in use", "late"],
    [
      "Leases cannot be written: failover goes on by beacons, and is written down later",
      "no lease",
    ],
    [
      'An L2Advertisement names interface "eth7", which this node does not have',
      "the name is misspelt, or the interface is not made yet",
    ],
    [
      'Pool "spare" holds an address that is in use: it is never handed out',
      "10.1.0.9 is node n2's",
    ],
  ]);
});

test("findings() tell of an address outside all pools, which nobody answers for", (t) => {
  const services = [service("shop/stray", { ips: ["192.168.0.1"] })];
  const harness = running(t, {}, { ...OBJECTS, services });
  assert.deepEqual(whats(harness), [
    ["Nobody answers for 192.168.0.1", "it is in no IPAddressPool"],
  ]);
});

test("findings() tell of an address that no node may own, with three of the reasons", (t) => {
  const nodes = [1, 2, 3, 4].map((n) => node(`n${n}`, { labels: { [EXCLUDE_LABEL]: "" } }));
  const services = [service("shop/new", { ips: ["10.0.0.5"] })];
  const harness = running(t, {}, { ...OBJECTS, nodes, services });
  const [[what, cause] = []] = whats(harness);
  assert.equal(what, "Nobody answers for 10.0.0.5");
  const reason = `n\\d: it has the label ${EXCLUDE_LABEL.replaceAll(".", "\\.")}`;
  assert.match(
    cause ?? "",
    new RegExp(`^no node is eligible \\(${reason}; ${reason}; ${reason}\\)$`),
  );
});

test("findings() leave out an address that some node is about to take", (t) => {
  const services = [service("shop/new", { ips: ["10.0.0.5"] })];
  const harness = running(t, {}, { ...OBJECTS, services });
  assert.equal(harness.views.status().vips.withoutOwner, 1);
  assert.deepEqual(whats(harness), []);
});

test("history() has times that people can read, newest first, of one address or of all", (t) => {
  const { views, store } = running(t);
  const row = { change: "gained", node: "n1", epoch: 1, cause: "unheld", detail: "" } as const;
  const at = Date.UTC(2026, 0, 2, 3, 4, 5, 6);
  store.recordChange({ ...row, at: wallMs(at), address: "10.0.0.1" });
  store.recordChange({ ...row, at: wallMs(at + 1_000), address: "10.0.0.2" });
  const first = { ...row, at: "2026-01-02T03:04:05.006Z", address: "10.0.0.1" };
  const second = { ...row, at: "2026-01-02T03:04:06.006Z", address: "10.0.0.2" };
  assert.deepEqual(views.history({ limit: 10 }), [second, first]);
  assert.deepEqual(views.history({ limit: 1 }), [second]);
  assert.deepEqual(views.history({ address: "10.0.0.1", limit: 10 }), [first]);
});

test("explain() joins the cluster, the machine and the leader", (t) => {
  const { views } = running(t);
  assert.equal(views.explain("shop/none"), null);
  const view = views.explain("shop/web");
  assert.equal(
    view?.answer,
    "has 10.0.0.1 (node n1 answers for it), 2001:db8::1 (nobody answers for it)",
  );
  const texts = view?.steps.map(({ text }) => text) ?? [];
  assert.ok(texts.includes("n1 owns it, epoch 4; here it is owning"), texts.join("\n"));
  assert.ok(
    texts.some((text) => /^n2: eligible, rank \d$/.test(text)),
    texts.join("\n"),
  );
});

test("explain() names who gives addresses and who answers in lbd's place", (t) => {
  const theirs = { whyNotAllocating: "left to MetalLB", whyMuted: "the speaker is at work" };
  const { views } = viewsOf(t, OBJECTS, { rivals: theirs });
  const steps = views.explain("shop/web")?.steps ?? [];
  assert.match(steps[0]?.text ?? "", /; left to MetalLB$/);
  const owners = steps.filter(({ step }) => step === "owner");
  assert.deepEqual(owners[0]?.text, "the speaker is at work");
  const shadow = { findings: () => [], view: () => assert.fail("no view is due") };
  const [first] = viewsOf(t, OBJECTS, { shadow }).views.explain("shop/web")?.steps ?? [];
  assert.match(first?.text ?? "", /; this daemon runs in shadow mode, and gives no addresses$/);
});

test("refresh() waits for nothing while the responder does not run", async (t) => {
  assert.equal(await viewsOf(t, OBJECTS).views.refresh(), undefined);
});

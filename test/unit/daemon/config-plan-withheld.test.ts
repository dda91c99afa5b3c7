// Tests of a plan that knows what is withheld: what becomes of each Service, that the leader then
// does just that, and what is said where it is not known.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { PlannedServiceView } from "../../../src/api/plan-view.ts";
import { bootMs } from "../../../src/core/time.ts";
import { allocatablePools } from "../../../src/daemon/allocatable-pools.ts";
import { planAllocation } from "../../../src/daemon/allocation-plan.ts";
import { ConfigPlanner } from "../../../src/daemon/config-planner.ts";
import { serviceRequest } from "../../../src/daemon/service-request.ts";
import { withheldNotices } from "../../../src/daemon/withheld-knowledge.ts";
import type { FreedSettings } from "../../../src/ipam/freed-addresses.ts";
import type { Service } from "../../../src/k8s-sync/model.ts";
import { objectKey } from "../../../src/k8s-sync/model.ts";
import { ip } from "../../support/ipam-requests.ts";
import { clusterOf, resource, service } from "../../support/kubernetes-objects.ts";
import { AllocatingLeader } from "./allocation-harness.ts";
import { NOTHING_WITHHELD } from "./former-harness.ts";

const PRINTER = "02:00:00:00:00:99";
const OFF = { coolDownMs: 0, reservationMs: 0 };
const COOLING = { coolDownMs: 60_000, reservationMs: 0 };
const KEPT = { coolDownMs: 0, reservationMs: 3_600_000 };

const poolsOf = (...pools: readonly ReturnType<typeof resource>[]) =>
  allocatablePools(clusterOf({ pools }).config.pools, new Map([["shop", {}]]));
const lan = (addresses: string, more: object = {}) =>
  resource("lan", { addresses: [addresses], ...more });

const WEB = service("shop/web", { ips: ["10.0.0.1"] });
const LATE = service("shop/late");
const asking = (name: string, loadBalancerIP: string, labels: Record<string, string> = {}) =>
  service(name, { labels, spec: { loadBalancerIP } });

interface Row {
  readonly name: string;
  readonly services: readonly Service[];
  readonly before?: ReturnType<typeof poolsOf>;
  readonly after: ReturnType<typeof poolsOf>;
  readonly freed?: FreedSettings;
  /** Each with the Service that had it a moment ago. */
  readonly former?: Readonly<Record<string, string>>;
  readonly quarantined?: readonly string[];
  readonly expected: Readonly<Record<string, string>>;
}

const SMALL = poolsOf(lan("10.0.0.1/32"));
const ONLY_AB = { serviceAllocation: { serviceSelectors: [{ matchLabels: { a: "b" } }] } };
const GIVEN_UP = {
  services: [service("shop/a", { ips: ["10.0.0.1"] }), asking("shop/c", "10.0.0.1", { a: "b" })],
  before: poolsOf(lan("10.0.0.1/32")),
  after: poolsOf(lan("10.0.0.1/32", ONLY_AB), resource("rest", { addresses: ["10.0.0.9/32"] })),
};

const ROWS: readonly Row[] = [
  {
    name: "an address that another host has: the next one is given",
    services: [WEB, LATE],
    after: poolsOf(lan("10.0.0.1-10.0.0.4")),
    quarantined: ["10.0.0.2"],
    expected: { "shop/web": "10.0.0.1", "shop/late": "10.0.0.3" },
  },
  {
    name: "an address that another host has and a Service asks for: that waits",
    services: [WEB, asking("shop/late", "10.0.0.2")],
    after: poolsOf(lan("10.0.0.1-10.0.0.4")),
    quarantined: ["10.0.0.2"],
    expected: { "shop/web": "10.0.0.1", "shop/late": "" },
  },
  {
    name: "an address that another host has and a Service as well: it keeps it",
    services: [WEB],
    after: poolsOf(lan("10.0.0.1-10.0.0.4")),
    quarantined: ["10.0.0.1"],
    expected: { "shop/web": "10.0.0.1" },
  },
  {
    name: "an address that cools down: the next one is given",
    services: [WEB, LATE],
    after: poolsOf(lan("10.0.0.1-10.0.0.4")),
    freed: COOLING,
    former: { "10.0.0.2": "shop/old" },
    expected: { "shop/web": "10.0.0.1", "shop/late": "10.0.0.3" },
  },
  {
    name: "an address that is kept: it is given last",
    services: [WEB, LATE, service("shop/later")],
    after: poolsOf(lan("10.0.0.1-10.0.0.3")),
    freed: KEPT,
    former: { "10.0.0.2": "shop/old" },
    expected: { "shop/web": "10.0.0.1", "shop/late": "10.0.0.3", "shop/later": "10.0.0.2" },
  },
  {
    name: "an address that is kept for who waits: it comes back",
    services: [WEB, LATE],
    after: poolsOf(lan("10.0.0.1-10.0.0.4")),
    freed: KEPT,
    former: { "10.0.0.4": "shop/late" },
    expected: { "shop/web": "10.0.0.1", "shop/late": "10.0.0.4" },
  },
  {
    name: "an address that is given up: it is had by who asks for it",
    ...GIVEN_UP,
    expected: { "shop/a": "10.0.0.9", "shop/c": "10.0.0.1" },
  },
  {
    name: "an address that is given up, where that cools down: who asks for it waits",
    ...GIVEN_UP,
    freed: COOLING,
    expected: { "shop/a": "10.0.0.9", "shop/c": "" },
  },
];

/** What the leader makes of it, which has worked with the old pools so far. */
async function applied(row: Row): Promise<Record<string, string>> {
  const { services, before = SMALL, after, freed = OFF, former = {}, quarantined = [] } = row;
  const leader = new AllocatingLeader({ freed });
  const at = leader.former.wall;
  leader.former.remembered = Object.entries(former).map(([address, name]) => {
    return { address, service: name, at };
  });
  leader.lead(before, services);
  for (const address of quarantined) leader.probed(address, PRINTER);
  await leader.settle();
  leader.allocation.configure(after, new Map());
  await leader.settle();
  return Object.fromEntries(services.map((one) => [objectKey(one), addressesOf(leader, one)]));
}

function addressesOf(leader: AllocatingLeader, one: Service): string {
  return leader.addresses(objectKey(one));
}

/** What a node plans that does not lead, by what its store remembers; quarantines are told. */
function planned(row: Row): Record<string, string> {
  const { services, before = SMALL, after, freed = OFF, former = {}, quarantined = [] } = row;
  const follower = new AllocatingLeader({ freed });
  const at = follower.former.wall;
  follower.former.remembered = Object.entries(former).map(([address, name]) => {
    return { address, service: name, at };
  });
  const withheld = {
    quarantined: new Map(quarantined.map((address) => [ip(address), PRINTER])),
    resting: follower.former.former.resting(() => false),
  };
  const change = { before, after, reserved: new Map(), withheld, freed };
  const plans = planAllocation(services.map(serviceRequest), change);
  return Object.fromEntries([...plans].map(([key, plan]) => [key, plan.addresses.join(" ")]));
}

for (const row of ROWS) {
  test(`planAllocation() with ${row.name}`, () => {
    assert.deepEqual(planned(row), row.expected);
  });

  test(`the leader does what was planned with ${row.name}`, async () => {
    assert.deepEqual(await applied(row), row.expected);
  });
}

test("AllocationController tells what it withholds while it leads", async () => {
  const leader = new AllocatingLeader({ freed: COOLING });
  assert.equal(leader.allocation.withheld(), null);
  leader.former.remembered = [{ address: "10.0.0.2", service: "shop/old", at: leader.former.wall }];
  leader.lead(poolsOf(lan("10.0.0.1-10.0.0.4")), []);
  leader.probed("10.0.0.3", PRINTER);
  assert.deepEqual(leader.allocation.withheld(), {
    quarantined: new Map([["10.0.0.3", PRINTER]]),
    resting: new Map([["10.0.0.2", { for: "shop/old", kind: "cooling" }]]),
  });
  leader.allocation.follow();
  assert.equal(leader.allocation.withheld(), null);
});

test("planConfig() counts what is withheld when a pool is used up", () => {
  const view = planOf({ ...NOTHING_WITHHELD, quarantined: new Map([[ip("10.0.0.2"), PRINTER]]) });
  assert.equal(view.services.find((one) => one.service === "shop/late")?.change, "waits");
  const why = view.services.map((one) => one.why).join();
  assert.match(why, /no available IPs: lan \(1 of 2 used, 1 quarantined/);
});

test("planConfig() says what is not known on a node that does not lead", () => {
  const whyDeaf = "the leader does, node n2: ask there";
  const { notices } = planOf({ ...NOTHING_WITHHELD, whyDeaf });
  assert.match(notices.join(), /^Not known here is .* \(the leader does, node n2: ask there\)/);
});

/** Two Services, one of which waits, and a pool of two addresses. */
function planOf(withheld: typeof NOTHING_WITHHELD) {
  const planner = new ConfigPlanner({
    places: { namespace: "metallb-system", legacyConfigMap: "a/b" },
    clock: { boot: () => bootMs(0) },
    cluster: clusterOf({ services: [WEB, LATE], pools: [lan("10.0.0.1-10.0.0.2")] }),
    namespaces: { labels: new Map() },
    reserved: () => new Map(),
    withheld: () => withheld,
    machine: () => ({ views: { state: () => null, ranked: () => [] } as never }),
  });
  const result = planner.plan({ files: [{ name: "a", text: "" }], replace: false });
  assert.ok(result.ok);
  return result.value;
}

const given = (...after: readonly string[]): PlannedServiceView[] => [
  {
    ...{ service: "shop/web", change: "gains", before: ["10.0.0.1"], after },
    ...{ ownersBefore: [], ownersAfter: [], why: null, announcement: null },
  },
];

const NOTICES: readonly (readonly [
  name: string,
  after: readonly string[],
  known: Partial<typeof NOTHING_WITHHELD>,
  expected: RegExp | null,
])[] = [
  ["nothing that is given", ["10.0.0.1"], { whyDeaf: "why" }, null],
  ["what is known to be free", ["10.0.0.1", "10.0.0.2"], {}, null],
  ["IPv6", ["2001:db8::1"], { isKnownFree: () => false }, /yet: 2001:db8::1; one/],
  [
    "what nobody has asked for",
    ["10.0.0.2"],
    { isKnownFree: () => false },
    /yet: 10\.0\.0\.2; one/,
  ],
  [
    "many that nobody has asked for",
    ["10.0.0.2", "10.0.0.3", "10.0.0.4", "10.0.0.5", "10.0.0.6"],
    { isKnownFree: () => false },
    /: 10\.0\.0\.2, 10\.0\.0\.3, 10\.0\.0\.4 and 2 more; /,
  ],
  ["a node that hears nothing", ["10.0.0.2"], { whyDeaf: "no node leads now" }, /\(no node leads/],
];

for (const [name, after, known, expected] of NOTICES) {
  test(`withheldNotices() with ${name}`, () => {
    const notices = withheldNotices(given(...after), { ...NOTHING_WITHHELD, ...known });
    assert.equal(notices.length, expected === null ? 0 : 1);
    if (expected !== null) assert.match(notices[0] ?? "", expected);
  });
}

// Tests of the cluster's configuration: bad fields in words, problems of several objects at once,
// all or nothing, and which pools an advertisement covers.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { RawResource } from "../../../src/config/cluster-config.ts";
import { EMPTY_CLUSTER_CONFIG, parseClusterConfig } from "../../../src/config/cluster-config.ts";
import { formatRange } from "../../../src/core/address.ts";
import { formatProblem } from "../../../src/core/problem.ts";

function raw(name: string, spec: unknown, labels: Readonly<Record<string, string>> = {}) {
  return { name, labels, spec };
}

function pool(name: string, ...addresses: readonly unknown[]): RawResource {
  return raw(name, { addresses });
}

function problemsOf(
  pools: readonly RawResource[],
  advertisements: readonly RawResource[] = [],
): string[] {
  const parsed = parseClusterConfig({ pools, advertisements });
  return parsed.ok ? [] : parsed.problems.map(formatProblem);
}

const LAN = 'IPAddressPool "lan"';

const BAD_POOLS: readonly (readonly [string, readonly RawResource[], readonly string[]])[] = [
  [
    "no spec",
    [raw("lan", undefined)],
    [`${LAN} spec.addresses: found nothing, expected a value of type array`],
  ],
  ["no addresses", [pool("lan")], [`${LAN} spec.addresses: found [], expected at least 1 entry`]],
  [
    "a spec that is a text",
    [raw("lan", "x")],
    [`${LAN} spec: found "x", expected a value of type object`],
  ],
  [
    "a bare address",
    [pool("lan", "10.0.0.1")],
    [
      `${LAN} spec.addresses[0]: found "10.0.0.1", ` +
        'expected a CIDR or a range (for one address: "10.0.0.1/32")',
    ],
  ],
  [
    "bad entries and a bad field together",
    [raw("lan", { addresses: ["10.0.0.0/30", "x", 5], autoAssign: "no" })],
    [
      `${LAN} spec.addresses[1]: found "x", expected a CIDR or a range`,
      `${LAN} spec.addresses[2]: found 5, expected a value of type string`,
      `${LAN} spec.autoAssign: found "no", expected a value of type boolean`,
    ],
  ],
  [
    "an unknown key",
    [raw("lan", { addresses: ["10.0.0.0/30"], autoassign: true })],
    [
      `${LAN} spec.autoassign: found an unknown key, ` +
        "expected a key that lbd knows (check the spelling)",
    ],
  ],
  [
    "an overlap within a pool",
    [pool("lan", "10.0.0.0/24", "10.0.0.200-10.0.1.5")],
    [
      `${LAN} spec.addresses: found 10.0.0.200-10.0.1.5, which overlaps 10.0.0.0-10.0.0.255 ` +
        "of another range of this pool, expected every address in one range only",
    ],
  ],
  [
    "an overlap between pools",
    [pool("lan", "10.0.0.0/24"), pool("dmz", "10.0.0.255/32")],
    [
      'IPAddressPool "dmz" spec.addresses: found 10.0.0.255-10.0.0.255, which overlaps ' +
        '10.0.0.0-10.0.0.255 of pool "lan", expected every address in one range only',
    ],
  ],
];

for (const [name, pools, problems] of BAD_POOLS) {
  test(`parseClusterConfig() refuses ${name}`, () => {
    assert.deepEqual(problemsOf(pools), problems);
  });
}

const AD = 'L2Advertisement "l2"';
const BAD_ADS: readonly (readonly [string, unknown, string])[] = [
  [
    "an interface twice",
    { interfaces: ["eth0", "eth0"] },
    'spec.interfaces: found ["eth0","eth0"], expected no name twice',
  ],
  [
    "a pool twice",
    { ipAddressPools: ["a", "a"] },
    'spec.ipAddressPools: found ["a","a"], expected no name twice',
  ],
  [
    "a selector without values",
    { nodeSelectors: [{ matchExpressions: [{ key: "a", operator: "In" }] }] },
    'spec.nodeSelectors[0].matchExpressions[0]: found {"key":"a","operator":"In"}, ' +
      "expected values with In and NotIn, and none with Exists and DoesNotExist",
  ],
  [
    "one selector in place of a list",
    { nodeSelectors: {} },
    "spec.nodeSelectors: found {}, expected a value of type array",
  ],
];

for (const [name, spec, problem] of BAD_ADS) {
  test(`parseClusterConfig() refuses an L2Advertisement with ${name}`, () => {
    assert.deepEqual(problemsOf([], [raw("l2", spec)]), [`${AD} ${problem}`]);
  });
}

test("parseClusterConfig() tells the problems of all objects at once, and takes nothing", () => {
  const parsed = parseClusterConfig({
    pools: [pool("good", "10.1.0.0/24"), pool("bad", "x"), pool("twice", "10.1.0.1/32")],
    advertisements: [raw("l2", { interfaces: [""] })],
  });
  assert.equal(parsed.ok, false);
  assert.deepEqual(
    parsed.problems.map(({ where }) => where),
    [
      'IPAddressPool "bad" spec.addresses[0]',
      'L2Advertisement "l2" spec.interfaces[0]',
      'IPAddressPool "twice" spec.addresses',
    ],
  );
});

test("parseClusterConfig() says which object a problem is of, with its namespace", () => {
  const bad = { ...pool("lan", "x"), namespace: "metallb-system" };
  const parsed = parseClusterConfig({ pools: [bad], advertisements: [] });
  assert.equal(parsed.ok, false);
  const [problem] = parsed.problems;
  assert.deepEqual(problem?.object, {
    kind: "IPAddressPool",
    namespace: "metallb-system",
    name: "lan",
  });
  assert.equal(problem.where, 'IPAddressPool "metallb-system/lan" spec.addresses[0]');
});

test("parseClusterConfig() of 100,000 addresses, one by one, takes less than ten seconds", () => {
  const entries = Array.from(
    { length: 100_000 },
    (_, n) => `10.${n >> 16}.${(n >> 8) & 255}.${n & 255}/32`,
  );
  const bgpAdvertisements = [raw("wide", { aggregationLength: 32 })];
  const startedAt = performance.now();
  const parsed = parseClusterConfig({
    pools: [pool("many", ...entries)],
    advertisements: [],
    bgpAdvertisements,
  });
  assert.ok(parsed.ok);
  assert.equal(parsed.value.pools[0]?.ranges.length, 100_000);
  assert.ok(performance.now() - startedAt < 10_000);
});

test("parseClusterConfig() reads a pool of every address, which leaves none to others", () => {
  const all = pool("all", "0.0.0.0/0", "::/0");
  const parsed = parseClusterConfig({ pools: [all], advertisements: [] });
  assert.deepEqual(parsed.ok && parsed.value.pools[0]?.ranges, [
    { family: 4, start: 0n, end: 2n ** 32n - 1n },
    { family: 6, start: 0n, end: 2n ** 128n - 1n },
  ]);
  assert.equal(problemsOf([all, pool("lan", "10.0.0.0/24", "fd00::/64")]).length, 2);
});

test("parseClusterConfig() tells ten broken rules of ten objects at once", () => {
  const parsed = parseClusterConfig({
    pools: [
      pool("p1"),
      pool("p2", "10.0.0.9"),
      pool("p3", "10.0.0.9-10.0.0.1"),
      raw("p4", { addresses: ["10.4.0.0/24"], serviceAllocation: { namespaces: ["a", "a"] } }),
      pool("p5", "10.5.0.0/24"),
      pool("p6", "10.5.0.128/25"),
    ],
    advertisements: [raw("l2", { preferredNodeSelectors: [{ weight: 0, preference: {} }] })],
    bgpPeers: [raw("peer", { myASN: 1, peerASN: 2, peerAddress: "10.9.0.1", bfdProfile: "x" })],
    bgpAdvertisements: [raw("bgp", { ipAddressPools: ["p5"], aggregationLength: 8 })],
    bfdProfiles: [raw("bfd", { echoInterval: 9 })],
    communities: [raw("names", { communities: [{ name: "a", value: "65536:1" }] })],
  });
  assert.equal(parsed.ok, false);
  const names = parsed.problems.map(({ object }) => object.name);
  const all = ["bfd", "bgp", "l2", "names", "p1", "p2", "p3", "p4", "p6", "peer"];
  assert.deepEqual(names.sort(), all);
});

test("parseClusterConfig() of nothing is a valid configuration without pools", () => {
  const parsed = parseClusterConfig({ pools: [], advertisements: [] });
  assert.deepEqual(parsed, { ok: true, value: EMPTY_CLUSTER_CONFIG });
});

test("parseClusterConfig() sorts pools by name and keeps the order of their ranges", () => {
  const parsed = parseClusterConfig({
    pools: [
      pool("b", "10.0.2.0/24"),
      raw("a", { addresses: ["10.0.1.0/24", "10.0.0.9-10.0.0.10"], autoAssign: false }),
      raw("c", { addresses: ["10.0.3.0/24"], avoidBuggyIPs: true }),
    ],
    advertisements: [raw("y", {}), raw("x", null)],
  });
  assert.ok(parsed.ok);
  const { pools, advertisements } = parsed.value;
  assert.deepEqual(
    pools.map((p) => [p.name, p.ranges.map(formatRange), p.autoAssign, p.avoidBuggyIps]),
    [
      ["a", ["10.0.1.0-10.0.1.255", "10.0.0.9-10.0.0.10"], false, false],
      ["b", ["10.0.2.0-10.0.2.255"], true, false],
      ["c", ["10.0.3.0-10.0.3.255"], true, true],
    ],
  );
  assert.deepEqual(
    advertisements.map((ad) => ad.name),
    ["x", "y"],
  );
});

const COVERAGE: readonly (readonly [string, unknown, readonly string[]])[] = [
  ["nothing selected: every pool", {}, ["a", "b", "c"]],
  ["names", { ipAddressPools: ["b"] }, ["b"]],
  ["a name that does not exist: none", { ipAddressPools: ["gone"] }, []],
  ["a selector", { ipAddressPoolSelectors: [{ matchLabels: { net: "lan" } }] }, ["a", "c"]],
  ["a selector that matches none", { ipAddressPoolSelectors: [{ matchLabels: { net: "x" } }] }, []],
  ["an empty selector", { ipAddressPoolSelectors: [{}] }, ["a", "b", "c"]],
  [
    "names and selectors: either",
    { ipAddressPools: ["b"], ipAddressPoolSelectors: [{ matchLabels: { rack: "1" } }] },
    ["b", "c"],
  ],
];

for (const [name, spec, expected] of COVERAGE) {
  test(`parseClusterConfig() advertisement with ${name}`, () => {
    const parsed = parseClusterConfig({
      pools: [
        raw("a", { addresses: ["10.0.0.0/24"] }, { net: "lan" }),
        raw("b", { addresses: ["10.0.1.0/24"] }, { net: "dmz" }),
        raw("c", { addresses: ["10.0.2.0/24"] }, { net: "lan", rack: "1" }),
      ],
      advertisements: [raw("l2", spec)],
    });
    assert.ok(parsed.ok);
    assert.deepEqual(parsed.value.advertisements[0]?.pools, expected);
  });
}

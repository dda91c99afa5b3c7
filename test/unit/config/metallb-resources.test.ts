// Tests of every kind of metallb.io resource: what is accepted, what each bad field is told, and
// what the configuration is in the end.

import assert from "node:assert/strict";
import { test } from "node:test";
import { parseClusterConfig } from "../../../src/config/cluster-config.ts";
import { formatProblem } from "../../../src/core/problem.ts";
import { BAD, configWith, GOOD, resourceOf, versionOf } from "../../support/metallb-samples.ts";

function problemsOf(raw: Parameters<typeof parseClusterConfig>[0]): string[] {
  const parsed = parseClusterConfig(raw);
  return parsed.ok ? [] : parsed.problems.map(formatProblem);
}

for (const sample of BAD) {
  test(`${sample.kind} ${versionOf(sample)} with ${sample.title} is refused`, () => {
    const prefix = `${sample.kind} "metallb-system/subject" spec`;
    const expected = sample.problems.map((problem) => prefix + problem);
    assert.deepEqual(problemsOf(configWith(sample)), expected);
  });
}

for (const sample of GOOD) {
  test(`${sample.kind} ${versionOf(sample)} with ${sample.title} is accepted`, () => {
    assert.deepEqual(problemsOf(configWith(sample)), []);
  });
}

test("a resource that lists everything wrong is told everything", () => {
  const spec = { myASN: 0, peerPort: 99_999, holdTime: "1s", bfdProfile: 7, password: 5, vrv: "a" };
  const sample = { title: "", kind: "BGPPeer", spec } as const;
  assert.deepEqual(
    problemsOf(configWith(sample)).map((text) => text.replace(/^.* spec\.(\w+): .*$/, "$1")),
    ["myASN", "peerPort", "password", "bfdProfile", "vrv", "peerASN", "peerAddress", "holdTime"],
  );
});

/** The peer, advertisement, profile, pool or names that the sample becomes. */
function parsedOf(kind: string, title: string, version?: string) {
  const sample = GOOD.find(
    (one) => one.kind === kind && one.title === title && one.version === version,
  );
  assert.ok(sample !== undefined);
  const parsed = parseClusterConfig(configWith(sample));
  assert.ok(parsed.ok);
  const { pools, advertisements, bgp } = parsed.value;
  const all = [pools, advertisements, bgp.peers, bgp.advertisements, bgp.bfdProfiles].flat();
  return all.find(({ name }) => name === "subject");
}

const RED = { matchLabels: { team: "red" }, matchExpressions: [] };
const EDGE = {
  matchLabels: {},
  matchExpressions: [{ key: "tier", operator: "In", values: ["edge", "dmz"] }],
};

test("IPAddressPool: whom it is for, and null when it does not say", () => {
  const full = parsedOf("IPAddressPool", "every field");
  assert.deepEqual(full !== undefined && "serviceAllocation" in full && full.serviceAllocation, {
    priority: 10,
    namespaces: ["shop", "bank"],
    namespaceSelectors: [RED],
    serviceSelectors: [EDGE, RED],
  });
  const plain = parsedOf("IPAddressPool", "addresses alone");
  assert.equal(
    plain !== undefined && "serviceAllocation" in plain && plain.serviceAllocation,
    null,
  );
});

test("L2Advertisement: every field", () => {
  assert.deepEqual(parsedOf("L2Advertisement", "every field"), {
    name: "subject",
    pools: ["lan"],
    nodeSelectors: [EDGE],
    interfaces: ["bond0", "eth1.100"],
    serviceSelectors: [RED],
    preferredNodeSelectors: [
      { weight: 1, preference: RED },
      { weight: 100, preference: { matchLabels: {}, matchExpressions: [] } },
    ],
  });
});

const LEAST_PEER = {
  name: "subject",
  myAsn: 64_600,
  peerAsn: 64_601,
  localAsn: null,
  to: { address: "10.9.0.1" },
  port: 179,
  sourceAddress: null,
  routerId: null,
  timers: null,
  connectMs: null,
  nodeSelectors: [],
  password: null,
  bfdProfile: null,
  gracefulRestart: false,
  ebgpMultiHop: false,
  vrf: "",
  dualStackAddressFamily: false,
};

test("BGPPeer: what is left out, in both versions", () => {
  assert.deepEqual(parsedOf("BGPPeer", "the least"), LEAST_PEER);
  assert.deepEqual(parsedOf("BGPPeer", "the least", "v1beta1"), LEAST_PEER);
});

test("BGPPeer: every field of v1beta1, where port 0 is the default", () => {
  assert.deepEqual(parsedOf("BGPPeer", "every field of its own", "v1beta1"), {
    ...LEAST_PEER,
    sourceAddress: "10.9.0.9",
    routerId: "10.9.0.9",
    timers: { holdMs: 9_000, keepaliveMs: 3_000 },
    nodeSelectors: [RED],
    password: { text: "hush" },
    bfdProfile: "fast",
    ebgpMultiHop: true,
  });
});

test("BGPPeer: every field of v1beta2", () => {
  assert.deepEqual(parsedOf("BGPPeer", "every field that goes with an address"), {
    name: "subject",
    myAsn: 4_294_967_295,
    peerAsn: 1,
    localAsn: 65_001,
    to: { address: "fd00:9::1" },
    port: 16_384,
    sourceAddress: "fd00:9::9",
    routerId: "10.9.0.9",
    timers: { holdMs: 90_000, keepaliveMs: 30_000 },
    connectMs: 10_000,
    nodeSelectors: [RED, EDGE],
    password: { text: "hush" },
    bfdProfile: "fast",
    gracefulRestart: true,
    ebgpMultiHop: true,
    vrf: "red",
    dualStackAddressFamily: true,
  });
  assert.deepEqual(parsedOf("BGPPeer", "an interface, any other AS and a Secret"), {
    ...LEAST_PEER,
    peerAsn: "external",
    to: { interface: "eth1" },
    timers: { holdMs: 0, keepaliveMs: 0 },
    password: { secret: "tor" },
  });
});

test("BGPPeer: the hold time is three keepalives when only they are given", () => {
  const peer = parsedOf("BGPPeer", "the own AS, and a keepalive time alone");
  assert.deepEqual(peer, {
    ...LEAST_PEER,
    peerAsn: "internal",
    timers: { holdMs: 3_000, keepaliveMs: 1_000 },
  });
});

test("BGPAdvertisement: what is left out, and every field with names replaced", () => {
  const least = {
    name: "subject",
    pools: ["lan"],
    aggregationLength: 32,
    aggregationLengthV6: 128,
    localPref: 0,
    communities: [],
    nodeSelectors: [],
    peers: [],
    serviceSelectors: [],
  };
  assert.deepEqual(parsedOf("BGPAdvertisement", "nothing"), least);
  assert.deepEqual(parsedOf("BGPAdvertisement", "every field"), {
    ...least,
    aggregationLength: 30,
    aggregationLengthV6: 126,
    localPref: 4_294_967_295,
    communities: ["65535:65281", "64512:100", "large:64512:1:2"],
    nodeSelectors: [EDGE],
    peers: ["tor", "yet-to-come"],
  });
});

test("BFDProfile: what is left out, and every field", () => {
  assert.deepEqual(parsedOf("BFDProfile", "nothing"), {
    name: "subject",
    receiveIntervalMs: null,
    transmitIntervalMs: null,
    echoIntervalMs: null,
    detectMultiplier: null,
    echoMode: false,
    passiveMode: false,
    minimumTtl: null,
  });
  assert.deepEqual(parsedOf("BFDProfile", "the least of each"), {
    name: "subject",
    receiveIntervalMs: 10,
    transmitIntervalMs: 10,
    echoIntervalMs: 10,
    detectMultiplier: 2,
    echoMode: true,
    passiveMode: true,
    minimumTtl: 1,
  });
});

test("Community: names of all resources, sorted, values in canonical text", () => {
  const raw = (name: string, ...communities: readonly { name: string; value: string }[]) => ({
    ...resourceOf({ title: "", kind: "Community", spec: { communities } }),
    name,
  });
  const communities = [
    raw("b", { name: "mine", value: "064512:007" }),
    raw("a", { name: "wide", value: "large:1:02:3" }, { name: "also", value: "0:0" }),
  ];
  const parsed = parseClusterConfig({ pools: [], advertisements: [], communities });
  assert.ok(parsed.ok);
  assert.deepEqual(parsed.value.bgp.communities, [
    { name: "also", value: "0:0" },
    { name: "mine", value: "64512:7" },
    { name: "wide", value: "large:1:2:3" },
  ]);
});

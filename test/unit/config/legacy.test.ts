// Tests of MetalLB's old ConfigMap: what it means, what is wrong with it, in its own
// words.

import assert from "node:assert/strict";
import { test } from "node:test";
import { parseLegacy } from "../../../src/config/config-sources.ts";
import { kubernetesName } from "../../../src/config/legacy-convert.ts";
import { formatRange } from "../../../src/core/address.ts";
import { formatProblem } from "../../../src/core/problem.ts";
import { FULL } from "../../support/legacy-configs.ts";

const SOURCE = { namespace: "metallb-system", name: "config" };
const PREFIX = 'ConfigMap "metallb-system/config" config';

function parsed(text: string) {
  const result = parseLegacy({ ...SOURCE, text });
  assert.ok(result.ok, result.ok ? "" : result.problems.map(formatProblem).join("\n"));
  return result.value;
}

function problemsOf(text: string): string[] {
  const result = parseLegacy({ ...SOURCE, text });
  return result.ok ? [] : result.problems.map(formatProblem);
}

test("parseLegacy() of layer2 pools announces each everywhere, and keeps their names", () => {
  const { pools, advertisements } = parsed(FULL);
  assert.deepEqual(
    pools.map(({ name, ranges, ...rest }) => [name, ranges.map(formatRange), rest]),
    [
      ["edge", ["10.9.1.0-10.9.1.15"], rest({})],
      [
        "lan_Pool",
        ["10.9.0.50-10.9.0.80", "fd00:9::-fd00:9::ff"],
        rest({ autoAssign: false, avoidBuggyIps: true }),
      ],
      ["plain", ["10.9.2.0-10.9.2.15"], rest({})],
    ],
  );
  assert.deepEqual(advertisements, [
    {
      name: 'ConfigMap "metallb-system/config" config.address-pools[0]',
      pools: ["lan_Pool"],
      nodeSelectors: [],
      interfaces: [],
      serviceSelectors: [],
      preferredNodeSelectors: [],
    },
  ]);
});

function rest(changes: { autoAssign?: boolean; avoidBuggyIps?: boolean }) {
  return { autoAssign: true, avoidBuggyIps: false, serviceAllocation: null, ...changes };
}

test("parseLegacy() reads every key of peers, profiles and communities", () => {
  const { bgp } = parsed(FULL);
  const [first, second] = bgp.peers;
  assert.deepEqual(first?.password, { text: "0123" }, "no digit of a password is lost");
  assert.deepEqual(
    [first?.port, first?.timers, first?.routerId, first?.ebgpMultiHop, first?.bfdProfile],
    [1_179, { holdMs: 30_000, keepaliveMs: 5_000 }, "10.9.0.9", true, "Fast"],
  );
  assert.deepEqual(first?.nodeSelectors, [
    {
      matchLabels: { rack: "a" },
      matchExpressions: [{ key: "tier", operator: "In", values: ["edge"] }],
    },
  ]);
  assert.deepEqual(
    [second?.port, second?.timers, second?.password],
    [179, { holdMs: 90_000, keepaliveMs: 30_000 }, null],
    "port 0 and an empty password are none, and the hold time was 90 s",
  );
  assert.deepEqual(bgp.communities, [{ name: "quiet", value: "65535:65281" }]);
  assert.equal(bgp.bfdProfiles[0]?.minimumTtl, 10);
  assert.deepEqual(
    bgp.advertisements.map(({ pools, aggregationLength, localPref, communities }) => [
      ...[pools[0], aggregationLength, localPref, communities],
    ]),
    [
      ["edge", 28, 100, ["65535:65281", "64512:1"]],
      ["edge", 32, 0, []],
      ["plain", 32, 0, []],
    ],
  );
});

for (const text of ["", "# nothing\n", "address-pools: []\n", "address-pools:\n", "{}"]) {
  test(`parseLegacy() of ${JSON.stringify(text)} is a configuration without pools`, () => {
    assert.deepEqual(parsed(text).pools, []);
  });
}

const POOL = "address-pools: [{name: a, protocol: layer2, addresses: [10.0.0.0/24]}]";
const twoPools = (second: string): string => POOL.replace("}]", `}, ${second}]`);
const PEER = "my-asn: 1, peer-asn: 2, peer-address: 10.0.0.1";
const KNOWN = "expected a key that lbd knows (check the spelling)";

// biome-ignore format: a table
const BAD: readonly (readonly [name: string, text: string, problems: readonly string[]])[] = [
  ["YAML that is cut off", "peers: [{}", [
    ", line 1: found Flow sequence in block collection must be sufficiently indented and " +
      "end with a ], expected valid YAML"]],
  ["a text", "hello", [": found \"hello\", expected a value of type object"]],
  ["an unknown key", `${POOL}\nadress-pools: []`, [
    `.adress-pools: found an unknown key, ${KNOWN}`]],
  ["a pool without anything", "address-pools: [{auto-assign: maybe}]", [
    ".address-pools[0].name: found nothing, expected a value of type string",
    '.address-pools[0].protocol: found nothing, expected "layer2" or "bgp"',
    ".address-pools[0].addresses: found nothing, expected a value of type array",
    '.address-pools[0].auto-assign: found "maybe", expected true or false']],
  ["a protocol of long ago", POOL.replace("layer2", "arp"), [
    '.address-pools[0].protocol: found "arp", expected "layer2" or "bgp"']],
  ["routes of a layer2 pool", POOL.replace("addresses", "bgp-advertisements: [{}], addresses"), [
    ".address-pools[0].bgp-advertisements: found [{}], " +
      "expected nothing: the pool has protocol layer2"]],
  ["an address that is none", POOL.replace("10.0.0.0/24", "x"), [
    '.address-pools[0].addresses[0]: found "x", expected a CIDR or a range']],
  ["a pool twice", twoPools("{name: a, protocol: layer2, addresses: [10.1.0.0/24]}"), [
    '.address-pools[1].name: found "a", which is there already, expected every name once']],
  ["pools that overlap", twoPools("{name: b, protocol: bgp, addresses: [10.0.0.9/32]}"), [
    ".address-pools[1].addresses: found 10.0.0.9-10.0.0.9, which overlaps 10.0.0.0-10.0.0.255 " +
      'of pool "a", expected every address in one range only']],
  ["a key twice", `peers: [{${PEER}, my-asn: a}]`, [
    ", line 1: found Map keys must be unique, expected valid YAML"]],
  ["an AS number with letters", `peers: [{${PEER.replace("1,", "1a,")}}]`, [
    '.peers[0].my-asn: found "1a", expected a whole number']],
  ["bounds of a peer", `peers: [{${PEER}, peer-port: 16385, hold-time: 2s, router-id: x}]`, [
    ".peers[0].peer-port: found 16385, expected at most 16384",
    '.peers[0].router-id: found "x", expected an IPv4 address',
    '.peers[0].hold-time: found "2s", expected "0s", or from "3s" to "65535s"']],
  ["a peer that waits longer than it may", `peers: [{${PEER}, keepalive-time: 91s}]`, [
    '.peers[0].keepalive-time: found "91s", expected at most holdTime, which is 90 s']],
  ["a profile that is not there", `peers: [{${PEER}, bfd-profile: gone}]`, [
    '.peers[0].bfd-profile: found "gone", expected the name of a BFDProfile that exists']],
  ["a selector of nodes", `peers: [{${PEER}, node-selectors: [{match-expressions: [` +
    "{key: a, operator: Like}]}]}]", [
    '.peers[0].node-selectors[0].match-expressions[0].operator: found "Like", ' +
      'expected "In" or "NotIn" or "Exists" or "DoesNotExist"']],
  ["a password that is a list, which is not shown", `peers: [{${PEER}, password: [a, b]}]`, [
    ".peers[0].password: found (not shown), expected a value of type string"]],
  ["a community out of bounds", "bgp-communities: {ok: 1:1, far: 65536:1}", [
    '.bgp-communities.far: found "65536:1", ' +
      'expected a community such as "64512:100" or "large:64512:1:2"']],
  ["bounds of a profile", "bfd-profiles: [{name: a, minimum-ttl: 255, echo-interval: 9}]", [
    ".bfd-profiles[0].echo-interval: found 9, expected at least 10",
    ".bfd-profiles[0].minimum-ttl: found 255, expected at most 254"]],
  ["a route wider than its pool, and a name that is none",
    "address-pools: [{name: a, protocol: bgp, addresses: [10.0.0.0/24], bgp-advertisements: [" +
      "{}, {aggregation-length: 23}, {communities: [a]}]}]", [
    '.address-pools[0].bgp-advertisements[2].communities[0]: found "a", expected a community ' +
      'such as "64512:100" or "large:64512:1:2", or a name from a Community resource',
    ".address-pools[0].bgp-advertisements[1].aggregation-length: found 23, " +
      'which is wider than 10.0.0.0-10.0.0.255 of pool "a", expected at least 24']],
];

for (const [name, text, problems] of BAD) {
  test(`parseLegacy() refuses ${name}`, () => {
    assert.deepEqual(
      problemsOf(text),
      problems.map((problem) => PREFIX + problem),
    );
  });
}

test("parseLegacy() refuses a text that grows without end", () => {
  const lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"];
  for (let level = 1; level < 9; level++) {
    const ten = Array.from({ length: 10 }, () => `*a${level - 1}`).join(", ");
    lines.push(`a${level}: &a${level} [${ten}]`);
  }
  assert.match(problemsOf(lines.join("\n"))[0] ?? "", /expected fewer uses of one anchor$/);
});

test("kubernetesName() is one that the API takes", () => {
  for (const [name, expected] of [
    ["default", "default"],
    ["My_Pool", "my-pool"],
    ["10-lan", "lan"],
    ["_-_x9", "x9"],
    ["a".repeat(70), "a".repeat(63)],
    ["42", ""],
  ] as const) {
    assert.equal(kubernetesName(name), expected);
  }
});

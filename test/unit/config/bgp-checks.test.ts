// Tests of what is wrong with BGP resources only when they are looked at together.

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { parseAddressEntry } from "../../../src/config/address-entry.ts";
import { widestPrefix } from "../../../src/config/bgp-checks.ts";
import type { RawConfig, RawResource } from "../../../src/config/cluster-config.ts";
import { parseClusterConfig } from "../../../src/config/cluster-config.ts";
import type { IpRange } from "../../../src/core/address.ts";
import { formatProblem } from "../../../src/core/problem.ts";

function raw(name: string, spec: unknown): RawResource {
  return { name, namespace: "m", labels: {}, spec };
}

function peer(name: string, spec: Readonly<Record<string, unknown>> = {}): RawResource {
  return raw(name, { myASN: 64_600, peerASN: 64_601, peerAddress: "10.9.0.1", ...spec });
}

const POOLS = [
  raw("v4", { addresses: ["10.0.0.0/24"] }),
  raw("v6", { addresses: ["fd00::/112"] }),
  raw("both", { addresses: ["10.0.1.0/24", "fd01::/112"] }),
];
const ON_A = { nodeSelectors: [{ matchLabels: { rack: "a" } }] };
const ON_B = { nodeSelectors: [{ matchLabels: { rack: "b" } }] };
const NODES = [{ rack: "a" }, { rack: "b", spare: "" }];
const ECHO = raw("echo", { echoMode: true });

type Case = readonly [name: string, config: Partial<RawConfig>, problems: readonly string[]];

// biome-ignore format: a table
const CASES: readonly Case[] = [
  ["the same peer twice", { bgpPeers: [peer("p"), peer("q")] }, [
    'BGPPeer "m/q" spec.peerAddress: found "10.9.0.1", ' +
      'expected each peer of a node and VRF once (as in BGPPeer "m/p")']],
  ["the same interface twice", { bgpPeers: ["p", "q"].map((name) =>
    peer(name, { peerAddress: undefined, interface: "eth1" })) }, [
    'BGPPeer "m/q" spec.interface: found "eth1", ' +
      'expected each peer of a node and VRF once (as in BGPPeer "m/p")']],
  ["the same peer in two VRFs", { bgpPeers: [peer("p"), peer("q", { vrf: "red" })] }, []],
  ["the same peer of different nodes", { bgpPeers: [peer("p", ON_A), peer("q", ON_B)] }, []],
  ["the same peer where labels meet", { bgpPeers: [
    peer("p", ON_B), peer("q", { nodeSelectors: [{ matchLabels: { spare: "" } }] })] }, [
    'BGPPeer "m/q" spec.peerAddress: found "10.9.0.1", ' +
      'expected each peer of a node and VRF once (as in BGPPeer "m/p")']],
  ["the same peer where it would meet on a node that is not there", { nodes: [], bgpPeers: [
    peer("p", ON_B), peer("q", ON_B)] }, []],
  ["two AS numbers of our own", { bgpPeers: [
    peer("p"), peer("q", { myASN: 7, peerAddress: "10.9.0.2" })] }, [
    'BGPPeer "m/q" spec.myASN: found 7, ' +
      'expected one in a VRF of a node: 64600 (as in BGPPeer "m/p")']],
  ["two AS numbers in two VRFs", { bgpPeers: [
    peer("p"), peer("q", { myASN: 7, vrf: "red" })] }, []],
  ["two AS numbers on two nodes", { bgpPeers: [
    peer("p", ON_A), peer("q", { myASN: 7, ...ON_B })] }, []],
  ["two router IDs, even in two VRFs", { bgpPeers: [
    peer("p", { routerID: "1.1.1.1" }), peer("q", { routerID: "1.1.1.2", vrf: "red" })] }, [
    'BGPPeer "m/q" spec.routerID: found "1.1.1.2", ' +
      'expected one on a node: "1.1.1.1" (as in BGPPeer "m/p")']],
  ["a router ID, and none", { bgpPeers: [
    peer("p", { routerID: "1.1.1.1" }), peer("q", { peerAddress: "10.9.0.2" })] }, []],

  ["echo, and an IPv6 pool for every peer", { bfdProfiles: [ECHO],
    bgpPeers: [peer("p", { bfdProfile: "echo" })], bgpAdvertisements: [raw("a", {})] }, [
    'BGPPeer "m/p" spec.bfdProfile: found "echo", which has echoMode, ' +
      'expected one without, since pool "both" has IPv6 addresses']],
  ["echo, and an IPv6 pool for another peer", { bfdProfiles: [ECHO],
    bgpPeers: [peer("p", { bfdProfile: "echo" })],
    bgpAdvertisements: [raw("a", { peers: ["q"] })] }, []],
  ["echo, and an IPv4 pool", { bfdProfiles: [ECHO],
    bgpPeers: [peer("p", { bfdProfile: "echo" })],
    bgpAdvertisements: [raw("a", { ipAddressPools: ["v4"] })] }, []],
  ["a BFD profile that does not exist", { bgpPeers: [peer("p", { bfdProfile: "none" })] }, [
    'BGPPeer "m/p" spec.bfdProfile: found "none", ' +
      'expected the name of a BFDProfile that exists']],
  ["a profile that is not valid, and a peer that uses it", {
    bfdProfiles: [raw("bad", { minimumTtl: 0 })], bgpPeers: [peer("p", { bfdProfile: "bad" })] }, [
    'BFDProfile "m/bad" spec.minimumTtl: found 0, expected at least 1']],
  ["names that are not valid, and one that is used", {
    communities: [raw("c", { communities: [{ name: "x", value: "?" }] })],
    bgpAdvertisements: [raw("a", { communities: ["x"] })] }, [
    'Community "m/c" spec.communities[0].value: found "?", ' +
      'expected a community such as "64512:100" or "large:64512:1:2"']],

  ["a prefix wider than an IPv6 pool", { bgpAdvertisements: [
    raw("a", { ipAddressPools: ["v6"], aggregationLengthV6: 111 })] }, [
    'BGPAdvertisement "m/a" spec.aggregationLengthV6: found 111, which is wider than ' +
      'fd00::-fd00::ffff of pool "v6", expected at least 112']],
  ["a prefix as wide as the pools", { bgpAdvertisements: [
    raw("a", { aggregationLength: 24, aggregationLengthV6: 112 })] }, []],

  ["two preferences for one route", { bgpAdvertisements: [
    raw("a", { ipAddressPools: ["v4"], localPref: 1 }), raw("b", { localPref: 2 })] }, [
    'BGPAdvertisement "m/b" spec.localPref: found 2, while BGPAdvertisement "m/a" has 1 ' +
      'for routes of pool "v4", expected one for the same pool, length, node and peer']],
  ["two preferences for lengths of which one is of no family", { bgpAdvertisements: [
    raw("a", { ipAddressPools: ["v4"], localPref: 1, aggregationLength: 31 }),
    raw("b", { ipAddressPools: ["v4"], localPref: 2 })] }, []],
  ["two preferences for one IPv6 route", { bgpAdvertisements: [
    raw("a", { ipAddressPools: ["both"], localPref: 1, aggregationLength: 31 }),
    raw("b", { ipAddressPools: ["both"], localPref: 2 })] }, [
    'BGPAdvertisement "m/b" spec.localPref: found 2, while BGPAdvertisement "m/a" has 1 ' +
      'for routes of pool "both", expected one for the same pool, length, node and peer']],
  ["two preferences for different pools", { bgpAdvertisements: [
    raw("a", { ipAddressPools: ["v4"], localPref: 1 }),
    raw("b", { ipAddressPools: ["v6"], localPref: 2 })] }, []],
  ["two preferences on different nodes", { bgpAdvertisements: [
    raw("a", { localPref: 1, ...ON_A }), raw("b", { localPref: 2, ...ON_B })] }, []],
  ["two preferences for different peers", { bgpAdvertisements: [
    raw("a", { localPref: 1, peers: ["p"] }), raw("b", { localPref: 2, peers: ["q"] })] }, []],
  ["two preferences for one of the peers", { bgpAdvertisements: [
    raw("a", { localPref: 1, peers: ["p", "q"] }), raw("b", { localPref: 2, peers: ["q"] })] }, [
    'BGPAdvertisement "m/b" spec.localPref: found 2, while BGPAdvertisement "m/a" has 1 ' +
      'for routes of pool "both", expected one for the same pool, length, node and peer']],
  ["two preferences for Services that are selected", { bgpAdvertisements: [
    raw("a", { localPref: 1 }), raw("b", { localPref: 2, serviceSelectors: [{}] })] }, []],
];

for (const [name, config, problems] of CASES) {
  test(`BGP resources: ${name}, ${problems.length === 0 ? "is fine" : "is refused"}`, () => {
    const parsed = parseClusterConfig({
      pools: POOLS,
      advertisements: [],
      nodes: NODES,
      ...config,
    });
    assert.deepEqual(parsed.ok ? [] : parsed.problems.map(formatProblem), problems);
  });
}

function rangeOf(text: string): IpRange {
  const entry = parseAddressEntry(text);
  assert.ok(entry.ok);
  return entry.range;
}

test("widestPrefix() is the length of a CIDR", () => {
  for (const [text, length] of [
    ["10.0.0.0/8", 8],
    ["0.0.0.0/0", 0],
    ["10.0.0.7/32", 32],
    ["10.0.0.50-10.0.0.80", 28],
    ["10.0.0.1-10.0.0.2", 32],
    ["::/0", 0],
    ["fd00::1-fd00::1", 128],
  ] as const) {
    assert.equal(widestPrefix(rangeOf(text)), length, text);
  }
});

test("widestPrefix() is that of trying every length", () => {
  const bounds = fc.tuple(fc.nat(5_000), fc.nat(5_000));
  fc.assert(
    fc.property(bounds, ([first, count]) => {
      const [start, end] = [BigInt(first), BigInt(first + count)];
      const fits = (length: number): boolean => {
        const size = 1n << BigInt(32 - length);
        return ((start + size - 1n) / size) * size + size - 1n <= end;
      };
      const naive = Array.from({ length: 33 }, (_, length) => length).find(fits);
      assert.equal(widestPrefix({ family: 4, start, end }), naive);
    }),
  );
});

// Tests of where the leader asks for an address before it hands it out, and whose answers are the
// cluster's own.

import assert from "node:assert/strict";
import { test } from "node:test";
import { parsePrefix } from "../../../src/core/address.ts";
import type { Mac } from "../../../src/core/mac.ts";
import { isNodeMac, probeInterfaces } from "../../../src/daemon/probe-places.ts";
import type { Segment } from "../../../src/ownership/types.ts";
import { ip } from "../../support/ipam-requests.ts";
import { clusterOf, node, resource } from "../../support/kubernetes-objects.ts";

type Fields = Readonly<Record<string, unknown>>;

function segment(name: string, ...prefixes: readonly string[]): Segment {
  return {
    interface: name,
    prefixes: prefixes.map((text) => parsePrefix(text) ?? assert.fail(text)),
  };
}

const SEGMENTS = [
  segment("eth0", "10.0.0.0/24"),
  segment("eth1", "10.0.1.0/24", "10.0.2.0/24"),
  segment("eth2", "10.0.0.0/24"),
];
const POOL = resource("lan", { addresses: ["10.0.0.0/16"] });

/** Advertised with that spec, to a cluster of n1, which leads, and n2. */
function interfacesFor(address: string, spec: Fields): string[] {
  const cluster = clusterOf({
    nodes: [node("n1", { labels: { name: "n1" } }), node("n2", { labels: { name: "n2" } })],
    pools: [POOL],
    advertisements: [resource("all", spec)],
  });
  return probeInterfaces(ip(address), { node: "n1", cluster, segments: SEGMENTS });
}

const PLACES: readonly (readonly [string, spec: Fields, address: string, expected: string])[] = [
  ["the segment whose prefix holds it", {}, "10.0.0.9", "eth0"],
  ["a second prefix of a segment", {}, "10.0.2.9", "eth1"],
  ["no segment that does not hold it", {}, "10.0.9.9", ""],
  ["the interface that is named", { interfaces: ["eth1"] }, "10.0.0.9", "eth1"],
  ["no interface that is not there", { interfaces: ["bond0"] }, "10.0.0.9", ""],
  [
    "its segment where the advertisement is for other nodes",
    { interfaces: ["eth1"], nodeSelectors: [{ matchLabels: { name: "n2" } }] },
    "10.0.0.9",
    "eth0",
  ],
];

for (const [name, spec, address, expected] of PLACES) {
  test(`probeInterfaces() names ${name}`, () => {
    assert.equal(interfacesFor(address, spec).join(" "), expected);
  });
}

const OWN = "02:00:00:00:00:01" as Mac;
const NODE = "02:00:00:00:00:02" as Mac;
const PRINTER = "02:00:00:00:00:99" as Mac;

const MACS: readonly (readonly [mac: Mac, whose: string, expected: boolean])[] = [
  [OWN, "this host", true],
  [NODE, "a node that the kernel knows", true],
  [PRINTER, "a neighbour that is no node", false],
  ["02:00:00:00:00:98" as Mac, "a stranger", false],
];

for (const [mac, whose, expected] of MACS) {
  test(`isNodeMac() of ${whose} is ${expected}`, () => {
    const link = { index: 1, name: "eth0", hasCarrier: true, canAnswer: true, gateway: null };
    const nodes = new Map([["n2", node("n2", { addresses: ["n2.example", "10.0.0.2"] })]]);
    const readNeighbours = () => [
      { address: ip("10.0.0.3"), mac: PRINTER },
      { address: ip("10.0.0.2"), mac: NODE },
    ];
    const interfaces = [{ ...link, mac: OWN, addresses: [] }];
    assert.equal(isNodeMac(mac, interfaces, { nodes, readNeighbours }), expected);
  });
}

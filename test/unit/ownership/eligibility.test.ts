// Tests of who may own a VIP: every reason against it, and the interfaces where nothing is.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Eligibility } from "../../../src/ownership/eligibility.ts";
import { eligibility } from "../../../src/ownership/eligibility.ts";
import type { NodePlacement, Segment, Serving } from "../../../src/ownership/types.ts";
import { ALLOWED, segment, vip } from "../../support/ownership-words.ts";

const LAN = segment("eth0", "10.0.0.0/8", "192.168.1.0/24");
const LAN_TOO = segment("bond0", "192.168.0.0/16");
const WAN = segment("eth1", "203.0.113.0/24");
const SIX = segment("eth2", "2001:db8::/64");

function on(...interfaces: readonly string[]): NodePlacement {
  return { allowed: true, interfaces, unhealthy: null };
}

interface Row {
  readonly name: string;
  readonly placement?: NodePlacement | null;
  /** Null: the node says nothing of them. */
  readonly segments: readonly Segment[] | null;
  readonly serving?: Serving;
  readonly expected: Eligibility;
}

function no(reason: string): Eligibility {
  return { eligible: false, reason };
}

function yes(...interfaces: readonly string[]): Eligibility {
  return { eligible: true, interfaces, unhealthy: null };
}

const ROWS: readonly Row[] = [
  {
    name: "refuses a node that the API does not know",
    placement: null,
    segments: [LAN],
    expected: no("the API knows no Node of this name"),
  },
  {
    name: "refuses a node that no advertisement selects, by its reason",
    placement: { allowed: false, reason: "no L2Advertisement selects it" },
    segments: [LAN],
    expected: no("no L2Advertisement selects it"),
  },
  {
    name: "refuses a node without carrier",
    segments: [],
    expected: no("no interface with carrier and an address"),
  },
  {
    name: "refuses a node on other segments, and names them",
    segments: [WAN, SIX],
    expected: no(
      "no interface with carrier has a prefix that holds 192.168.1.240 (looked at eth1, eth2)",
    ),
  },
  {
    name: "refuses a node without a named interface, even where the VIP fits another",
    placement: on("eth7", "eth8"),
    segments: [LAN],
    expected: no(
      'no interface "eth7", "eth8" with carrier and address, which the L2Advertisement asks for',
    ),
  },
  {
    name: "refuses every node while no endpoint serves",
    segments: [LAN],
    serving: new Map(),
    expected: no("no endpoint of its Services serves"),
  },
  {
    name: "refuses a node without an endpoint, while another has one",
    segments: [LAN],
    serving: new Map([["node-b", "ready"]]),
    expected: no("no endpoint on it serves (externalTrafficPolicy: Local)"),
  },
  {
    name: "gives the reason that no endpoint mends before the one that it does",
    placement: { allowed: false, reason: "no L2Advertisement selects it" },
    segments: [LAN],
    serving: new Map(),
    expected: no("no L2Advertisement selects it"),
  },
  {
    name: "takes a node whose endpoints terminate for one that should let go",
    segments: [LAN],
    serving: new Map([["node-a", "terminating"]]),
    expected: {
      eligible: true,
      interfaces: ["eth0"],
      unhealthy: "the last endpoints on it are terminating",
    },
  },
  {
    name: "says what is wrong with the node before what is with its endpoints",
    placement: { ...ALLOWED, unhealthy: "not Ready" },
    segments: null,
    serving: new Map([["node-a", "terminating"]]),
    expected: { eligible: true, interfaces: [], unhealthy: "not Ready" },
  },
  {
    name: "takes a node with a ready endpoint",
    segments: [LAN],
    serving: new Map([
      ["node-a", "ready"],
      ["node-b", "terminating"],
    ]),
    expected: yes("eth0"),
  },
  {
    name: "takes the interface with the longest prefix that holds the VIP, and no other",
    segments: [WAN, LAN_TOO, LAN],
    expected: yes("eth0"),
  },
  {
    name: "takes one of two interfaces on the same network",
    segments: [LAN, segment("eth9", "192.168.1.0/24")],
    expected: yes("eth0"),
  },
  {
    name: "takes both of those where an advertisement names both",
    placement: on("eth0", "eth9"),
    segments: [LAN, segment("eth9", "192.168.1.0/24")],
    expected: yes("eth0", "eth9"),
  },
  {
    name: "refuses a node whose own address is all that is connected",
    segments: [segment("eth0", "192.168.1.11/32")],
    expected: no(
      "no interface with carrier has a prefix that holds 192.168.1.240 (looked at eth0)",
    ),
  },
  {
    name: "takes a named interface without asking for its prefixes",
    placement: on("eth1", "eth9"),
    segments: [LAN, WAN],
    expected: yes("eth1"),
  },
  { name: "excludes nobody who says nothing of its segments", segments: null, expected: yes() },
  {
    name: "believes the names of an advertisement for a node that says nothing",
    placement: on("eth1"),
    segments: null,
    expected: yes("eth1"),
  },
  {
    name: "takes an unhealthy node, and says why it is one",
    placement: { ...ALLOWED, unhealthy: "NetworkUnavailable" },
    segments: [LAN],
    expected: { eligible: true, interfaces: ["eth0"], unhealthy: "NetworkUnavailable" },
  },
  {
    name: "says that a silent node is unhealthy too",
    placement: { ...ALLOWED, unhealthy: "not Ready" },
    segments: null,
    expected: { eligible: true, interfaces: [], unhealthy: "not Ready" },
  },
];

for (const { name, placement = ALLOWED, segments, serving, expected } of ROWS) {
  test(`eligibility() ${name}`, () => {
    const spec = { ...vip({ "node-a": placement }), serving: serving ?? "everywhere" };
    assert.deepEqual(eligibility(spec, "node-a", segments), expected);
  });
}

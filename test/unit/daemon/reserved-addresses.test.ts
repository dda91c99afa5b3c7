// Tests of the addresses that are never handed out: those of this host, of nodes, of default
// gateways, of the API server, and the ends of connected prefixes.

import assert from "node:assert/strict";
import { test } from "node:test";
import { parsePrefix } from "../../../src/core/address.ts";
import { reservedAddresses } from "../../../src/daemon/reserved-addresses.ts";
import type { HostInterface } from "../../../src/link/host-interface.ts";
import { ip } from "../../support/ipam-requests.ts";
import { node } from "../../support/kubernetes-objects.ts";

/** `addresses` with their prefix lengths. */
function hostInterface(name: string, ...addresses: readonly string[]): HostInterface {
  const entries = addresses.map((text) => {
    const prefix = parsePrefix(text) ?? assert.fail(text);
    return { ip: ip(text.replace(/\/.*/, "")), prefix };
  });
  const link = { index: 1, name, mac: null, hasCarrier: true, canAnswer: true, gateway: null };
  return { ...link, addresses: entries };
}

/** Withheld whatever there is. */
const ALWAYS = ["0.0.0.0", "::", "255.255.255.255"];

test("reservedAddresses() withholds those that stand for none or for all hosts", () => {
  const { all, ofHosts } = reservedAddresses({ nodes: [], interfaces: [], apiHost: "api" });
  const uses = ["the unspecified address", "the unspecified address"];
  assert.deepEqual([...all.keys()], ALWAYS);
  assert.deepEqual([...all.values()], [...uses, "the limited broadcast address"]);
  assert.deepEqual([...ofHosts], []);
});

function reservedBy(sources: Partial<Parameters<typeof reservedAddresses>[0]>) {
  const reserved = reservedAddresses({ nodes: [], interfaces: [], apiHost: "api", ...sources });
  return {
    all: Object.fromEntries([...reserved.all].filter(([address]) => !ALWAYS.includes(address))),
    ofHosts: Object.fromEntries(reserved.ofHosts),
  };
}

const own = (name: string) => `this host's own, on interface "${name}"`;

const PREFIXES: readonly (readonly [address: string, ends: Readonly<Record<string, string>>])[] = [
  ["10.0.0.5/32", {}],
  ["10.0.0.4/31", {}],
  ["2001:db8::5/64", {}],
  [
    "10.0.0.5/30",
    {
      "10.0.0.4": "the network address of 10.0.0.4/30",
      "10.0.0.7": "the broadcast address of 10.0.0.4/30",
    },
  ],
  [
    "192.168.7.9/16",
    {
      "192.168.0.0": "the network address of 192.168.0.0/16",
      "192.168.255.255": "the broadcast address of 192.168.0.0/16",
    },
  ],
];

for (const [address, ends] of PREFIXES) {
  const names = Object.keys(ends).join(" and ") || "no end";
  test(`reservedAddresses() of ${address} withholds it and ${names}`, () => {
    const ofHosts = { [address.replace(/\/.*/, "")]: own("eth0") };
    const reserved = reservedBy({ interfaces: [hostInterface("eth0", address)] });
    assert.deepEqual(reserved, { ofHosts, all: { ...ends, ...ofHosts } });
  });
}

test("reservedAddresses() leaves out kube-proxy's interface, which has the VIPs themselves", () => {
  const interfaces = [hostInterface("kube-ipvs0", "10.0.0.10/32", "10.0.1.0/24")];
  assert.deepEqual(reservedBy({ interfaces }), { all: {}, ofHosts: {} });
});

test("reservedAddresses() withholds the default gateway of every interface", () => {
  const interfaces = [
    { ...hostInterface("eth0", "10.0.0.5/24"), gateway: ip("10.0.0.1") },
    { ...hostInterface("eth1"), gateway: ip("10.0.1.1") },
  ];
  assert.deepEqual(reservedBy({ interfaces }).ofHosts, {
    "10.0.0.1": 'the default gateway, on interface "eth0"',
    "10.0.1.1": 'the default gateway, on interface "eth1"',
    "10.0.0.5": own("eth0"),
  });
});

test("reservedAddresses() withholds node addresses of both families, not their names", () => {
  const nodes = [
    node("n1", { addresses: ["10.0.0.1", "2001:DB8::1", "n1.example"] }),
    node("n2", { addresses: ["10.0.0.2"] }),
    node("n3"),
  ];
  const expected = {
    "10.0.0.1": 'the address of node "n1"',
    "2001:db8::1": 'the address of node "n1"',
    "10.0.0.2": 'the address of node "n2"',
  };
  assert.deepEqual(reservedBy({ nodes }), { all: expected, ofHosts: expected });
});

const API_HOSTS: readonly (readonly [apiHost: string, address: string | null])[] = [
  ["api.example", null],
  ["", null],
  ["10.0.0.100", "10.0.0.100"],
  ["[2001:db8::100]", "2001:db8::100"],
];

for (const [apiHost, address] of API_HOSTS) {
  test(`reservedAddresses() with an API server at "${apiHost}" withholds ${address}`, () => {
    const expected = address === null ? {} : { [address]: "the address of the API server" };
    assert.deepEqual(reservedBy({ apiHost }), { all: expected, ofHosts: expected });
  });
}

test("reservedAddresses() names the most telling use of an address that has several", () => {
  const { all, ofHosts } = reservedBy({
    interfaces: [hostInterface("eth0", "10.0.0.1/24", "10.0.0.0/24", "10.0.0.2/24")],
    nodes: [node("n1", { addresses: ["10.0.0.1", "10.0.0.2"] })],
    apiHost: "10.0.0.1",
  });
  const expected = {
    "10.0.0.0": own("eth0"),
    "10.0.0.1": "the address of the API server",
    "10.0.0.2": 'the address of node "n1"',
  };
  assert.deepEqual(ofHosts, expected);
  assert.deepEqual(all, {
    ...expected,
    "10.0.0.255": "the broadcast address of 10.0.0.0/24",
  });
});

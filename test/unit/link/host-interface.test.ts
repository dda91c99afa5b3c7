// Tests of what the host's interfaces and their gateways are, given messages in the shape of the
// netlink library.

import assert from "node:assert/strict";
import { test } from "node:test";
import { formatPrefix } from "../../../src/core/address.ts";
import type {
  AddressMessage,
  Dumps,
  LinkFlags,
  LinkMessage,
  RouteMessage,
} from "../../../src/link/host-interface.ts";
import { hostInterfaces } from "../../../src/link/host-interface.ts";

const MAC = Uint8Array.of(2, 0, 0, 0, 0x64, 0x0b);
const UP: LinkFlags = { up: true, lowerUp: true, broadcast: true };

function link(
  attrs: LinkMessage["attrs"] = {},
  flags: LinkFlags | undefined = UP,
  index: number | undefined = 7,
): LinkMessage {
  return { data: { index, flags }, attrs: { ifname: "eth0", address: MAC, ...attrs } };
}

function address(attrs: AddressMessage["attrs"], prefixlen?: number, index = 7): AddressMessage {
  return { data: { index, prefixlen }, attrs };
}

function interfacesOf(links: readonly LinkMessage[], more: Partial<Dumps> = {}) {
  return hostInterfaces({ links, addresses: [], routes: [], ...more });
}

const LEFT_OUT: readonly [string, LinkMessage][] = [
  ["without an index", { data: { flags: UP }, attrs: { ifname: "eth0", address: MAC } }],
  ["without a name", link({ ifname: undefined })],
];
for (const [name, message] of LEFT_OUT) {
  test(`hostInterfaces() leaves out a link ${name}`, () => {
    assert.deepEqual(interfacesOf([message]), []);
  });
}

const LINKS: readonly [string, LinkMessage, { hasCarrier: boolean; canAnswer: boolean }][] = [
  ["Ethernet with carrier", link(), { hasCarrier: true, canAnswer: true }],
  [
    "a pulled cable: up without lower up",
    link({}, { up: true, broadcast: true }),
    { hasCarrier: false, canAnswer: true },
  ],
  [
    "set down with a cable in it",
    link({}, { lowerUp: true, broadcast: true }),
    { hasCarrier: false, canAnswer: true },
  ],
  [
    "no flags at all",
    { data: { index: 7 }, attrs: { ifname: "eth0", address: MAC } },
    { hasCarrier: false, canAnswer: false },
  ],
  [
    "a loopback",
    link({ ifname: "lo", address: new Uint8Array(6) }, { up: true, lowerUp: true, loopback: true }),
    { hasCarrier: true, canAnswer: false },
  ],
  ["NOARP (a dummy)", link({}, { ...UP, noarp: true }), { hasCarrier: true, canAnswer: false }],
  [
    "point to point: no broadcast",
    link({ address: undefined }, { up: true, lowerUp: true, noarp: true }),
    { hasCarrier: true, canAnswer: false },
  ],
  ["a port of a bridge or bond", link({ master: 9 }), { hasCarrier: true, canAnswer: false }],
  [
    "an IPv6 tunnel: 16-byte address",
    link({ address: new Uint8Array(16) }),
    { hasCarrier: true, canAnswer: false },
  ],
  [
    "InfiniBand: 20-byte address",
    link({ address: new Uint8Array(20) }),
    { hasCarrier: true, canAnswer: false },
  ],
  ["no hardware address", link({ address: undefined }), { hasCarrier: true, canAnswer: false }],
];

for (const [name, message, expected] of LINKS) {
  test(`hostInterfaces() reads ${name}`, () => {
    const [found] = interfacesOf([message]);
    const { hasCarrier, canAnswer } = found ?? {};
    assert.deepEqual({ hasCarrier, canAnswer }, expected);
  });
}

test("hostInterfaces() has index, name and MAC as text", () => {
  assert.deepEqual(interfacesOf([link()]), [
    {
      index: 7,
      name: "eth0",
      mac: "02:00:00:00:64:0b",
      hasCarrier: true,
      canAnswer: true,
      addresses: [],
      gateway: null,
    },
  ]);
});

const bytes = (...values: readonly number[]): Uint8Array => Uint8Array.from(values);
const IPV4 = bytes(192, 168, 100, 11);
const IPV6 = bytes(0xfd, 0, 1, 0, ...Array(11).fill(0), 0x11);

const ADDRESSES: readonly [string, AddressMessage, readonly (readonly [string, string])[]][] = [
  ["no address at all", address({}, 24), []],
  ["no prefix length", address({ local: IPV4 }), []],
  ["an address of 5 bytes", address({ local: new Uint8Array(5) }, 24), []],
  ["an empty address", address({ local: new Uint8Array(0) }, 24), []],
  ["another interface's address", address({ local: IPV4 }, 24, 8), []],
  [
    "IPv4, both attributes the same",
    address({ address: IPV4, local: IPV4 }, 24),
    [["192.168.100.11", "192.168.100.0/24"]],
  ],
  [
    "IPv4 with a peer: own address local, prefix of the other end",
    address({ address: bytes(10, 0, 0, 2), local: bytes(10, 0, 0, 1) }, 32),
    [["10.0.0.1", "10.0.0.2/32"]],
  ],
  ["IPv4, local alone", address({ local: IPV4 }, 32), [["192.168.100.11", "192.168.100.11/32"]]],
  ["IPv6, address alone", address({ address: IPV6 }, 64), [["fd00:100::11", "fd00:100::/64"]]],
  [
    "IPv6, link-local",
    address({ address: bytes(0xfe, 0x80, ...Array(13).fill(0), 1) }, 64),
    [["fe80::1", "fe80::/64"]],
  ],
];
for (const [name, message, expected] of ADDRESSES) {
  test(`hostInterfaces() reads ${name}`, () => {
    const [found] = interfacesOf([link()], { addresses: [message] });
    assert.deepEqual(
      found?.addresses.map(({ ip, prefix }) => [ip, formatPrefix(prefix)]),
      expected,
    );
  });
}

test("hostInterfaces() sorts by index and joins each with its own addresses", () => {
  const links = [9, 2, 7].map((index) => link({ ifname: `eth${index}` }, UP, index));
  const addresses = [
    address({ local: IPV4 }, 24, 9),
    address({ local: bytes(10, 0, 0, 1) }, 8, 2),
    address({ address: IPV6 }, 64, 9),
    address({ local: bytes(10, 9, 9, 9) }, 8, 77),
  ];
  assert.deepEqual(
    interfacesOf(links, { addresses }).map(({ name, addresses: found }) => [
      name,
      found.map(({ ip }) => ip),
    ]),
    [
      ["eth2", ["10.0.0.1"]],
      ["eth7", []],
      ["eth9", ["192.168.100.11", "fd00:100::11"]],
    ],
  );
});

function route(
  attrs: RouteMessage["attrs"],
  dstLen: number | undefined = 0,
  oif: number | undefined = 7,
): RouteMessage {
  return { data: { dstLen }, attrs: { oif, ...attrs } };
}

const GATEWAY = bytes(192, 168, 100, 1);
const DEFAULT_ROUTE = route({ gateway: GATEWAY });
const ELSEWHERE = bytes(10, 0, 0, 1);

const ROUTES: readonly [string, readonly RouteMessage[], string | null][] = [
  ["no gateway without a route", [], null],
  ["the gateway of a default route", [DEFAULT_ROUTE], "192.168.100.1"],
  ["a default route whose length is left out", [{ ...DEFAULT_ROUTE, data: {} }], "192.168.100.1"],
  ["no gateway of a default route without one", [route({})], null],
  ["no gateway of a prefix", [route({ gateway: GATEWAY, dst: bytes(10, 0, 0, 0) }, 8)], null],
  [
    "no gateway of a prefix whose length is left out",
    [route({ gateway: GATEWAY, dst: IPV4 })],
    null,
  ],
  ["no gateway that is IPv6", [route({ gateway: IPV6 })], null],
  ["no gateway that is no address", [route({ gateway: bytes(1, 2, 3) })], null],
  ["no gateway of another interface", [route({ gateway: GATEWAY }, 0, 8)], null],
  [
    "no gateway of a route through several interfaces",
    [{ data: { dstLen: 0 }, attrs: { gateway: GATEWAY } }],
    null,
  ],
  [
    "the first of several default routes, as the kernel prefers it",
    [route({ gateway: ELSEWHERE }, 0, 8), DEFAULT_ROUTE, route({ gateway: ELSEWHERE })],
    "192.168.100.1",
  ],
];
for (const [name, routes, expected] of ROUTES) {
  test(`hostInterfaces() reads ${name}`, () => {
    assert.equal(interfacesOf([link()], { routes })[0]?.gateway, expected);
  });
}

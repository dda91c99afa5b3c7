// Tests of what is passed on of the host's interfaces: links to responder and ownership when they
// have changed, and nothing when nothing has.

import assert from "node:assert/strict";
import { test } from "node:test";
import { prefixOf } from "../../../src/core/address.ts";
import { AppError } from "../../../src/core/errors.ts";
import type { Mac } from "../../../src/core/mac.ts";
import { HostInterfaces } from "../../../src/daemon/host-interfaces.ts";
import { hostLinks } from "../../../src/daemon/host-links.ts";
import { createLogger } from "../../../src/daemon/logger.ts";
import type { HostInterface } from "../../../src/link/host-interface.ts";
import { ip } from "../../support/ipam-requests.ts";

const ETH0 = nic("eth0", 2, "192.168.0.11");
const ETH1 = nic("eth1", 3, "192.168.1.11");

function nic(name: string, index: number, address: string): HostInterface {
  const own = ip(address);
  return {
    index,
    name,
    mac: `02:00:00:00:00:0${index}` as Mac,
    hasCarrier: true,
    canAnswer: true,
    addresses: [{ ip: own, prefix: prefixOf(own, 24) }],
    gateway: null,
  };
}

function watched(exclude: readonly string[] = []) {
  const told: string[] = [];
  const host = new HostInterfaces({
    patterns: { exclude, promiscuous: ["^wl"] },
    log: createLogger("silent", {}),
    tellResponder: (message) => {
      assert.equal(message.type, "interfaces");
      told.push(`answer on ${message.interfaces.map(({ name }) => name).join(",") || "none"}`);
    },
    tellOwnership: (event) => {
      assert.equal(event.type, "segments");
      told.push(`own on ${event.segments.map((one) => one.interface).join(",") || "none"}`);
    },
    onChange: () => void told.push("changed"),
  });
  const set = (...interfaces: readonly HostInterface[]): string[] => {
    host.set(interfaces);
    return told.splice(0);
  };
  return { host, set, told };
}

test("HostInterfaces knows of none, and of no failure, before it is told", () => {
  const { host } = watched();
  assert.deepEqual([host.all, host.failure], [[], null]);
});

/** eth1 with these IPv6 addresses in a /64 each, and no other. */
function eth1With(...addresses: readonly string[]): HostInterface {
  const own = addresses.map((address) => ({ ip: ip(address), prefix: prefixOf(ip(address), 64) }));
  return { ...ETH1, addresses: own };
}

test("set() of an interface without an address: it answers nothing, and owns nothing", () => {
  const { set } = watched();
  assert.deepEqual(set(ETH0, eth1With()), ["answer on eth0,eth1", "own on eth0", "changed"]);
  assert.deepEqual(set(ETH0, eth1With("fe80::b")), ["changed"], "every interface has one of these");
  assert.deepEqual(set(ETH0, ETH1), ["answer on eth0,eth1", "own on eth0,eth1", "changed"]);
});

test("set() of an interface with IPv6 alone: peers are spoken to by its link-local address", () => {
  const { set } = watched();
  const six = eth1With("2001:db8::11", "fe80::b");
  assert.deepEqual(set(ETH0, six), ["answer on eth0,eth1", "own on eth0,eth1", "changed"]);
  const [, answering] = hostLinks([ETH0, six], { exclude: [], promiscuous: [] }).answering;
  assert.equal(answering?.address?.ip, "fe80::b");
});

test("hostLinks() marks the interfaces that are to take in every frame", () => {
  const patterns = { exclude: [], promiscuous: ["^eth1$"] };
  const marked = hostLinks([ETH0, ETH1], patterns).answering;
  assert.deepEqual(
    marked.map(({ name, isPromiscuous }) => [name, isPromiscuous]),
    [
      ["eth0", false],
      ["eth1", true],
    ],
  );
});

test("set() passes links on, and then says that something has changed", () => {
  const { host, set } = watched();
  assert.deepEqual(set(ETH0, ETH1), ["answer on eth0,eth1", "own on eth0,eth1", "changed"]);
  assert.deepEqual(host.all, [ETH0, ETH1]);
});

test("set() with what is known already is silent: no write of the node Lease for it", () => {
  const { set } = watched();
  set(ETH0);
  assert.deepEqual(set(structuredClone(ETH0)), []);
});

test("set() takes a lost carrier out, and its return in again", () => {
  const { set } = watched();
  set(ETH0, ETH1);
  const unplugged = { ...ETH1, hasCarrier: false };
  assert.deepEqual(set(ETH0, unplugged), ["answer on eth0", "own on eth0", "changed"]);
  assert.deepEqual(set(ETH0, ETH1), ["answer on eth0,eth1", "own on eth0,eth1", "changed"]);
});

test("set() of a host whose last cable is pulled leaves no link", () => {
  const { set } = watched();
  set(ETH0);
  const told = set({ ...ETH0, hasCarrier: false });
  assert.deepEqual(told, ["answer on none", "own on none", "changed"]);
});

test("set() keeps what concerns excluded interfaces from responder and ownership", () => {
  const { host, set } = watched(["^eth1$"]);
  set(ETH0);
  assert.deepEqual(set(ETH0, ETH1), ["changed"], "their addresses are never handed out");
  assert.deepEqual(host.all, [ETH0, ETH1]);
});

test("failed() says why, until interfaces are read again, be they the same", () => {
  const { host, set } = watched();
  set(ETH0);
  host.failed(new AppError("NETLINK", "Cannot read interfaces: ENOBUFS"));
  assert.equal(host.failure, "Cannot read interfaces: ENOBUFS");
  assert.deepEqual(host.all, [ETH0], "what was known is kept");
  assert.deepEqual(set(ETH0), []);
  assert.equal(host.failure, null);
});

test("setBroken() takes an interface from ownership, and leaves it with the responder", () => {
  const { host, set, told } = watched();
  set(ETH0, ETH1);
  host.setBroken([{ interface: "eth0", breaks: "all" }]);
  assert.deepEqual(told.splice(0), ["answer on eth0,eth1", "own on eth1"]);
  host.setBroken([{ interface: "eth0", breaks: "all" }]);
  assert.deepEqual(told.splice(0), []);
  host.setBroken([]);
  assert.deepEqual(told.splice(0), ["answer on eth0,eth1", "own on eth0,eth1"]);
});

test("setBroken() for IPv6 alone leaves the IPv4 addresses of the interface owned", () => {
  const both = { ...ETH0, addresses: [...ETH0.addresses, ...eth1With("2001:db8::11").addresses] };
  const owned: number[][] = [];
  const host = new HostInterfaces({
    patterns: { exclude: [], promiscuous: [] },
    log: createLogger("silent", {}),
    tellResponder: () => {},
    tellOwnership: (event) => {
      assert.equal(event.type, "segments");
      owned.push(event.segments.flatMap((one) => one.prefixes.map(({ family }) => family)));
    },
    onChange: () => {},
  });
  host.set([both, eth1With("2001:db8:1::11", "fe80::b")]);
  host.setBroken([{ interface: "eth0", breaks: "ipv6" }]);
  host.setBroken([{ interface: "eth1", breaks: "ipv6" }]);
  host.setBroken([]);
  assert.deepEqual(owned, [
    [4, 6, 6, 6],
    [4, 6, 6],
    [4, 6],
    [4, 6, 6, 6],
  ]);
});

// The link watcher against the real rtnetlink: whatever happens to interfaces and addresses, the
// last thing it says is how they are, and a lost carrier is said at once.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { formatPrefix } from "../../src/core/address.ts";
import type { HostInterface } from "../../src/link/host-interface.ts";
import { eventually } from "../lab/eventually.ts";
import { labForSuite } from "../lab/for-test.ts";
import type { LabNode } from "../lab/node.ts";
import { AnsweringNode } from "./support/answering.ts";

/** From a change to the watcher's word; generous, because labs run on busy machines. */
const WORD_MS_MAX = 500;
const BURST = 300;
/** Twice so many notifications do not fit into a socket's buffer. */
const OVERFLOW = 6_000;
const OVERFLOW_MS_MAX = 10_000;

describe("LinkWatcher", () => {
  let host: LabNode;
  let node: AnsweringNode;

  labForSuite({ nodes: 1 }, async (lab) => {
    host = lab.node(1);
    node = await AnsweringNode.start(lab, host);
  });

  const find = (name: string) => node.interfaces.find((entry) => entry.name === name);
  const addressesOf = (name: string) =>
    (find(name)?.addresses ?? []).map(({ ip, prefix }) => `${ip} in ${formatPrefix(prefix)}`);
  const word = <T>(what: string, look: () => T, until: (value: T) => boolean) =>
    eventually(what, look, { timeoutMs: WORD_MS_MAX, intervalMs: 1, until });
  /** Messages that the kernel could not give to the netlink sockets of the host. */
  const drops = async (): Promise<number> => {
    const [, ...rows] = (await host.run(["cat", "/proc/net/netlink"])).trimEnd().split("\n");
    return rows.reduce((sum, row) => sum + Number(row.trim().split(/\s+/)[8]), 0);
  };
  const batch = (lines: readonly string[]) =>
    host.run(["ip", "-batch", "-"], { input: `${lines.join("\n")}\n` });

  test("LinkWatcher has all interfaces when it is ready", () => {
    const eth0 = find("eth0");
    assert.deepEqual(
      { mac: eth0?.mac, hasCarrier: eth0?.hasCarrier, canAnswer: eth0?.canAnswer },
      { mac: host.mac(), hasCarrier: true, canAnswer: true },
    );
    assert.equal(find("lo")?.canAnswer, false);
    assert.equal(find("mgmt0")?.mac, host.mac("management"));
    const expected = [
      `${host.address()} in 192.168.100.0/24`,
      `${host.address6()} in fd00:100::/64`,
    ];
    for (const line of expected) assert.ok(addressesOf("eth0").includes(line), line);
  });

  test("LinkWatcher says that a carrier is lost, and that it is back", async () => {
    for (let round = 0; round < 5; round++) {
      await host.dataLink.down();
      await word(
        "the loss",
        () => find("eth0")?.hasCarrier,
        (carrier) => carrier === false,
      );
      assert.equal(find("mgmt0")?.hasCarrier, true);
      await host.dataLink.up();
      await word(
        "the return",
        () => find("eth0")?.hasCarrier,
        (carrier) => carrier === true,
      );
    }
  });

  test("LinkWatcher says that an interface was set down, and up", async () => {
    await host.run(["ip", "link", "set", "eth0", "down"]);
    await word(
      "down",
      () => find("eth0")?.hasCarrier,
      (carrier) => carrier === false,
    );
    await host.run(["ip", "link", "set", "eth0", "up"]);
    await word(
      "up",
      () => find("eth0")?.hasCarrier,
      (carrier) => carrier === true,
    );
  });

  test("LinkWatcher says that addresses were added and removed", async () => {
    const lines = {
      "10.77.0.1/24": "10.77.0.1 in 10.77.0.0/24",
      "fd77::1/64": "fd77::1 in fd77::/64",
    };
    for (const [address, line] of Object.entries(lines)) {
      await host.run(["ip", "addr", "add", address, "dev", "eth0", "nodad"]);
      await word(
        address,
        () => addressesOf("eth0"),
        (all) => all.includes(line),
      );
      await host.run(["ip", "addr", "del", address, "dev", "eth0"]);
      await word(
        `no ${address}`,
        () => addressesOf("eth0"),
        (all) => !all.includes(line),
      );
    }
  });

  test("LinkWatcher has the own address of a pair of peers, and the other's prefix", async () => {
    await host.run(["ip", "addr", "add", "10.78.0.1", "peer", "10.78.0.2/32", "dev", "eth0"]);
    const line = "10.78.0.1 in 10.78.0.2/32";
    await word(
      line,
      () => addressesOf("eth0"),
      (all) => all.includes(line),
    );
    await host.run(["ip", "addr", "del", "10.78.0.1", "peer", "10.78.0.2/32", "dev", "eth0"]);
  });

  test("LinkWatcher says which default gateway an interface has, if any", async () => {
    const is = (wanted: string | null) =>
      word(
        `gateway ${wanted}`,
        () => find("eth0")?.gateway,
        (gateway) => gateway === wanted,
      );
    await is(null);
    for (const gateway of ["192.168.100.250", "192.168.100.251"]) {
      await host.run(["ip", "route", "replace", "default", "via", gateway, "dev", "eth0"]);
      await is(gateway);
      assert.equal(find("mgmt0")?.gateway, null);
    }
    await host.run(["ip", "route", "add", "10.90.0.0/16", "via", "192.168.100.252"]);
    await host.run(["ip", "route", "del", "default", "dev", "eth0"]);
    await is(null);
    await host.run(["ip", "route", "del", "10.90.0.0/16"]);
  });

  test("LinkWatcher says that an interface came, was renamed, and went", async () => {
    await host.run(["ip", "link", "add", "extra0", "type", "bridge"]);
    await word(
      "extra0",
      () => find("extra0"),
      (found) => found?.hasCarrier === false,
    );
    await host.run(["ip", "link", "set", "extra0", "name", "extra1"]);
    await word(
      "extra1",
      () => [find("extra0"), find("extra1")?.name],
      ([old, name]) => old === undefined && name === "extra1",
    );
    await host.run(["ip", "link", "del", "extra1"]);
    await word(
      "no extra1",
      () => find("extra1"),
      (found) => found === undefined,
    );
  });

  test("LinkWatcher says that an interface became a part of a bridge", async () => {
    await batch([
      "link add part0 type veth peer name part1",
      "link add bridge0 type bridge",
      "link set part0 up",
      "link set part1 up",
      "link set bridge0 up",
    ]);
    await word(
      "part0",
      () => find("part0"),
      (found) => found?.canAnswer === true,
    );
    await host.run(["ip", "link", "set", "part0", "master", "bridge0"]);
    await word(
      "part of a bridge",
      () => find("part0")?.canAnswer,
      (can) => can === false,
    );
    assert.equal(find("bridge0")?.canAnswer, true);
    await batch(["link del part0", "link del bridge0"]);
    await word(
      "none of them",
      () => find("bridge0"),
      (found) => found === undefined,
    );
  });

  test("LinkWatcher ends in the right state after a burst of changes", async () => {
    const lines: string[] = [];
    for (let i = 0; i < BURST; i++) {
      lines.push(`addr add 10.80.${i % 250}.${1 + Math.floor(i / 250)}/32 dev eth0`);
      if (i % 3 === 0) lines.push(`link set eth0 mtu ${1_400 + (i % 100)}`);
      if (i % 2 === 0)
        lines.push(`addr del 10.80.${i % 250}.${1 + Math.floor(i / 250)}/32 dev eth0`);
    }
    lines.push("link set eth0 down", "link add burst0 type bridge", "link set eth0 up");
    await batch(lines);
    await host.dataLink.down();
    const isDone = () => {
      const kept = addressesOf("eth0").filter((line) => line.startsWith("10.80."));
      return { kept: kept.length, burst: find("burst0")?.name, carrier: find("eth0")?.hasCarrier };
    };
    const expected = { kept: BURST / 2, burst: "burst0", carrier: false };
    await eventually("the last state", isDone, {
      timeoutMs: 3_000,
      until: (seen) => JSON.stringify(seen) === JSON.stringify(expected),
    });
    // It stays that way: nothing of the middle of the burst comes late.
    await sleep(200);
    assert.deepEqual(isDone(), expected);
    await host.dataLink.up();
    await host.run(["ip", "link", "del", "burst0"]);
    await word(
      "burst0 gone",
      () => find("burst0"),
      (found) => found === undefined,
    );
  });

  test("LinkWatcher reads all anew when the kernel had to drop notifications", async () => {
    const change = ["addr add 10.81.0.1/32 dev eth0", "addr del 10.81.0.1/32 dev eth0"];
    const before = await drops();
    await node.freeze();
    try {
      // The last one is lost, too: the buffer is full by then.
      await batch([...Array(OVERFLOW).fill(change).flat(), "addr add 10.81.0.2/32 dev eth0"]);
      assert.ok((await drops()) > before, "the buffer was not full");
    } finally {
      node.thaw();
    }
    // First it reads all that did fit.
    await eventually("the last address", () => addressesOf("eth0"), {
      timeoutMs: OVERFLOW_MS_MAX,
      until: (lines) => lines.includes("10.81.0.2 in 10.81.0.2/32"),
    });
    await host.run(["ip", "addr", "del", "10.81.0.2/32", "dev", "eth0"]);
  });

  test("LinkWatcher agrees with ip(8) about every interface in the end", async () => {
    interface Shown {
      readonly ifname: string;
      readonly ifindex: number;
      readonly address: string;
    }
    const shown: Shown[] = JSON.parse(await host.run(["ip", "-j", "link", "show"]));
    const known = (entry: HostInterface) => `${entry.index} ${entry.name} ${entry.mac}`;
    assert.deepEqual(
      node.interfaces.filter(({ mac }) => mac !== null).map(known),
      shown
        .filter(({ address }) => /^(..:){5}..$/.test(address))
        .map(({ ifindex, ifname, address }) => `${ifindex} ${ifname} ${address}`)
        .sort((a, b) => Number.parseInt(a, 10) - Number.parseInt(b, 10)),
    );
    assert.equal(node.has("link-error"), false);
  });
});

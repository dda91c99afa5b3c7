// The responder thread and what happens to its interfaces: cables, interfaces that go down, are
// deleted and come back, and frames that nobody should send.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { run } from "../lab/command.ts";
import { eventually } from "../lab/eventually.ts";
import { labForSuite } from "../lab/for-test.ts";
import type { Lab } from "../lab/lab.ts";
import {
  AnsweringNode,
  knownMac,
  remember,
  requestFrom,
  sendRaw,
  VIP,
} from "./support/answering.ts";
import { remakeEth0 } from "./support/remake-link.ts";

const GONE = "02:00:00:00:64:77";
const NEW_MAC = "02:00:00:00:64:99";
const MTU = 9_216;

describe("responder links", () => {
  let lab: Lab;
  let node: AnsweringNode;

  labForSuite({ nodes: 1 }, async (made) => {
    lab = made;
    node = await AnsweringNode.start(lab, lab.node(1));
    node.own();
    await node.settle();
  });

  const learnt = (mac: string) =>
    eventually(`the client to know ${mac}`, () => knownMac(lab.client), {
      until: (known) => known === mac,
    });
  const hasCarrier = (wanted: boolean) =>
    eventually(`carrier ${wanted}`, () => node.interfaces, {
      until: (all) => (all.find(({ name }) => name === "eth0")?.hasCarrier ?? false) === wanted,
    });

  /** The sockets of both families are opened again one after the other, each in its own time. */
  const allWell = () =>
    eventually("no problem", async () => (await node.report()).problems, {
      until: (problems) => problems.length === 0,
    });

  /** What was granted went with the tenure: it is granted again, as by the daemon. */
  async function regrant(): Promise<void> {
    // Then it is known whether a tenure has ended.
    await node.settle();
    node.own();
  }
  const answered = () =>
    eventually("an answer", () => {
      // Whether its tenure has ended in so short a time is not known.
      node.own();
      return lab.client.arping(VIP, 300);
    });

  for (const [what, ethertype, place, value] of [
    ["a hardware length of 255", "0806", 36, "ff04"],
    ["a protocol length of 16", "0806", 36, "0610"],
    ["both lengths 0", "0806", 36, "0000"],
    ["another hardware type", "0806", 28, "0006"],
  ] as const) {
    test(`responder answers on after ${what}, which the kernel's filter drops`, async () => {
      const good = requestFrom(lab.client);
      const bad = good.slice(0, place) + value + good.slice(place + value.length);
      assert.equal(bad.slice(24, 28), ethertype);
      await expectOutcomes([bad, good], { "arp-answered": 1 });
    });
  }

  test("responder answers on after a 20-byte frame, which the kernel's filter drops", async () => {
    await expectOutcomes([requestFrom(lab.client, VIP, 20), requestFrom(lab.client)], {
      "arp-answered": 1,
    });
  });

  test("responder counts a 9,000-byte frame as malformed-oversized and answers on", async () => {
    await raiseMtu();
    const frames = [requestFrom(lab.client, VIP, 9_000), requestFrom(lab.client)];
    await expectOutcomes(frames, { "arp-malformed-oversized": 1, "arp-answered": 1 });
  });

  test("responder counts an unknown operation and a group sender by name", async () => {
    const good = requestFrom(lab.client);
    const operation = `${good.slice(0, 40)}0009${good.slice(44)}`;
    const sender = `${good.slice(0, 44)}ffffffffffff${good.slice(56)}`;
    await expectOutcomes([operation, sender, good], {
      "arp-malformed-operation": 1,
      "arp-malformed-sender": 1,
      "arp-answered": 1,
    });
  });

  test("responder does not answer on an interface without a grant", async () => {
    node.own({ interfaces: ["mgmt0"] });
    await node.settle();
    await expectOutcomes([requestFrom(lab.client)], { "arp-wrong-interface": 1 });
    node.own();
    await node.settle();
    await expectOutcomes([requestFrom(lab.client)], { "arp-answered": 1 });
  });

  test("responder answers and announces again when a cable is plugged in again", async () => {
    await lab.node(1).dataLink.down();
    await hasCarrier(false);
    await regrant();
    await remember(lab.client, GONE);
    await lab.node(1).dataLink.up();
    await learnt(lab.node(1).mac());
    assert.equal(await lab.client.arping(VIP), lab.node(1).mac());
    await allWell();
  });

  test("responder answers again after the cable was out for a moment", async () => {
    for (let round = 0; round < 5; round++) {
      await lab.node(1).dataLink.down();
      await lab.node(1).dataLink.up();
    }
    await answered();
  });

  test("responder answers and announces again when an interface was set down", async () => {
    await lab.node(1).run(["ip", "link", "set", "eth0", "down"]);
    await hasCarrier(false);
    await regrant();
    await remember(lab.client, GONE);
    await lab.node(1).run(["ip", "link", "set", "eth0", "up"]);
    await learnt(lab.node(1).mac());
    assert.equal(await lab.client.arping(VIP), lab.node(1).mac());
    await allWell();
  });

  test("responder answers again after an interface was down for a moment", async () => {
    const batch = ["-batch", "-"];
    const input = "link set eth0 down\nlink set eth0 up\n";
    await lab.node(1).run(["ip", ...batch], { input });
    await answered();
    await allWell();
  });

  test("responder answers with the new MAC after an interface was made anew", async () => {
    const before = node.interfaces.find(({ name }) => name === "eth0")?.index;
    await remakeEth0(lab.node(1), NEW_MAC, async () => {
      await hasCarrier(false);
      await regrant();
      await remember(lab.client, GONE);
    });
    await learnt(NEW_MAC);
    assert.equal(await lab.client.arping(VIP), NEW_MAC);
    assert.notEqual(node.interfaces.find(({ name }) => name === "eth0")?.index, before);
    await allWell();
  });

  test("responder answers with the new MAC when an interface's MAC is changed", async () => {
    const wanted = lab.node(1).mac();
    await lab.node(1).run(["ip", "link", "set", "eth0", "address", wanted]);
    await eventually("the new MAC", () => node.interfaces, {
      until: (all) => all.find(({ name }) => name === "eth0")?.mac === wanted,
    });
    await regrant();
    await learnt(lab.node(1).mac());
    assert.equal(await lab.client.arping(VIP), lab.node(1).mac());
  });

  /** Sends the frames; the counters of received frames change by exactly `expected`. */
  async function expectOutcomes(
    frames: readonly string[],
    expected: Readonly<Record<string, number>>,
  ): Promise<void> {
    const before = (await node.report()).counters;
    await sendRaw(lab.client, frames);
    const changes = async () => {
      const { counters } = await node.report();
      const entries = Object.entries(counters)
        .map(([name, count]) => [name, count - (before[name] ?? 0)] as const)
        // What it sends by itself, and what the hosts of the lab ask each other.
        .filter(
          ([name, change]) => change > 0 && !/^(\w+-(sent|announced|not-)|beacon-)/.test(name),
        );
      return Object.fromEntries(entries);
    };
    const last = Object.keys(expected).at(-1) ?? "";
    await eventually(last, changes, { until: (seen) => seen[last] === expected[last] });
    assert.deepEqual(await changes(), expected);
  }

  async function raiseMtu(): Promise<void> {
    const mtu = ["mtu", String(MTU)];
    for (const host of [lab.node(1), lab.client]) {
      const { switchNamespace, port } = host.dataLink.ends;
      await host.run(["ip", "link", "set", "eth0", ...mtu]);
      await switchIp(switchNamespace, ["link", "set", port, ...mtu]);
    }
  }
});

async function switchIp(namespace: string, argv: readonly string[]): Promise<void> {
  await run(["ip", "-n", namespace, ...argv]);
}

describe("promiscuous interfaces", () => {
  let lab: Lab;

  labForSuite({ nodes: 1, secondDataSegment: true }, async (made) => {
    lab = made;
  });

  test("one that the node file names takes in every frame while the daemon runs", async () => {
    const host = lab.node(1);
    const promiscuity = async (device: string) =>
      Number(/promiscuity (\d+)/.exec(await host.run(["ip", "-d", "link", "show", device]))?.[1]);
    assert.deepEqual([await promiscuity("eth0"), await promiscuity("eth1")], [0, 0]);
    const node = await AnsweringNode.start(lab, host);
    await eventually("both sockets of eth1", () => promiscuity("eth1"), {
      until: (count) => count === 2,
    });
    assert.equal(await promiscuity("eth0"), 0);
    await node.stop();
    assert.equal(await promiscuity("eth1"), 0);
  });
});

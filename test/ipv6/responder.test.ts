// Neighbor Discovery of the responder thread on a real segment: the kernels of other hosts and
// ndisc6 are the judges of what it answers, and of what it does not.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { Ip, IpRange } from "../../src/core/address.ts";
import { OFFSET } from "../../src/ndp/wire.ts";
import { eventually } from "../lab/eventually.ts";
import { labForSuite } from "../lab/for-test.ts";
import type { LabHost } from "../lab/host.ts";
import type { Lab } from "../lab/lab.ts";
import {
  AnsweringNode,
  knownMac,
  POOL,
  remember,
  sendRaw,
  VIP6,
} from "../netns/support/answering.ts";
import { remakeEth0 } from "../netns/support/remake-link.ts";
import { altered, withOptions } from "../support/ndp-frames.ts";
import { announcementFrom, hex, solicitationFrom } from "./support/solicitations.ts";

const GROUP = "ff02::1:ff00:c8";
/** A MAC that nobody has: what a neighbour remembers of an owner that is gone. */
const GONE = "02:00:00:00:64:77";
const QUIET_MS = 300;
/** Sends a frame as often as the machine can, until it is ended. */
const FLOOD = `
import socket, sys
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
s.bind((sys.argv[1], 0))
frame = bytes.fromhex(sys.argv[2])
print("flooding", flush=True)
while True: s.send(frame)
`;

describe("Neighbor Discovery", () => {
  let lab: Lab;
  let node: AnsweringNode;
  const mac = () => lab.node(1).mac();
  const foreign = (): LabHost => lab.foreignHost ?? assert.fail("no foreign host");
  const learnt = (expected: string, host: LabHost = lab.client) =>
    eventually(`the host to know ${expected}`, () => knownMac(host, VIP6), {
      until: (known) => known === expected,
    });
  const groups = () => lab.node(1).run(["ip", "-6", "maddr", "show", "dev", "eth0"]);
  const untilJoined = () =>
    eventually("the group to be joined", groups, { until: (text) => text.includes(GROUP) });
  /** What a counter of Neighbor Discovery gains while something is done. */
  const gained = async (name: string, work: () => Promise<unknown>): Promise<number> => {
    const before = await node.count(`ndp-${name}`);
    await work();
    await sleep(QUIET_MS);
    return (await node.count(`ndp-${name}`)) - before;
  };

  labForSuite({ nodes: 1, foreignHost: true }, async (made) => {
    lab = made;
    node = await AnsweringNode.start(lab, lab.node(1));
    node.own({ address: VIP6 });
    await node.settle();
  });

  test("the client's kernel resolves the address to the node's MAC", async () => {
    assert.equal(await lab.client.arping(VIP6), mac());
    const { vips, problems, groupProblem } = await node.report();
    assert.deepEqual([problems, groupProblem], [[], null]);
    const [vip] = vips;
    assert.deepEqual([vip?.address, vip?.lastAnswer?.to], [VIP6, lab.client.mac()]);
  });

  test("ndisc6 finds one host at the address, by the group", async () => {
    const argv = ["ndisc6", "-m", "-r", "1", "-w", "500", VIP6, "eth0"];
    const { code, stdout } = await lab.client.tryRun(argv);
    assert.equal(code, 0, stdout);
    const found = [...stdout.matchAll(/Target link-layer address: (\S+)/g)].map(([, at]) => at);
    // It takes an announcement for an answer as well.
    assert.deepEqual([...new Set(found.map((at) => at?.toLowerCase()))], [mac()]);
  });

  test("the client's kernel is answered when it asks whether the node is still there", async () => {
    await lab.client.arping(VIP6);
    // It asks this host alone, by a solicitation to the address itself (RFC 4861 section 7.3.3).
    const entry = [VIP6, "dev", "eth0", "lladdr", mac(), "nud"];
    const asked = await gained("answered", async () => {
      await lab.client.run(["ip", "neigh", "replace", ...entry, "probe"]);
      await eventually("the entry to be confirmed", () => lab.client.neighbours(VIP6), {
        until: (rows) => rows.some(({ state }) => state.includes("REACHABLE")),
      });
    });
    assert.equal(asked, 1);
  });

  test("a host that is about to use the address is told that it is taken", async () => {
    const host = foreign();
    const set = "echo 1 > /proc/sys/net/ipv6/conf/eth0/accept_dad";
    await host.run(["sh", "-c", `${set}; echo 1 > /proc/sys/net/ipv6/conf/all/accept_dad`]);
    await host.run(["ip", "addr", "add", `${VIP6}/64`, "dev", "eth0"]);
    const show = () => host.run(["ip", "-6", "addr", "show", "dev", "eth0", "to", VIP6]);
    try {
      await eventually("the kernel to give the address up", show, {
        until: (text) => text.includes("dadfailed"),
      });
    } finally {
      await host.run(["ip", "addr", "del", `${VIP6}/64`, "dev", "eth0"]);
    }
  });

  test("an announcement corrects what the client's kernel believes, and is repeated", async () => {
    await lab.client.arping(VIP6);
    await remember(lab.client, GONE, VIP6);
    node.own({ address: VIP6 });
    await learnt(mac());
    await remember(lab.client, GONE, VIP6);
    await learnt(mac());
  });

  test("the group of the address is joined while it is granted, and left after it", async () => {
    await untilJoined();
    node.tell({ type: "revoke", address: VIP6 });
    await eventually("the group to be left", groups, { until: (text) => !text.includes(GROUP) });
    assert.equal(await lab.client.arping(VIP6), null, "nobody answers any more");
    node.own({ address: VIP6 });
    await untilJoined();
  });

  test("a group that two addresses share is left with the last of them", async () => {
    const twin = "fd00:100:0:0:1::c8" as Ip;
    node.own({ address: twin });
    await node.settle();
    node.tell({ type: "revoke", address: twin });
    await node.settle();
    assert.ok((await groups()).includes(GROUP));
  });

  test("a switch that listens is told of the group when the link returns", async () => {
    const listener = lab.client.spawn("mld", [
      ...["tcpdump", "-l", "-n", "-v", "-i", "eth0"],
      ...["ip6", "and", "ether", "src", mac(), "and", "ip6[48]", "==", "143"],
    ]);
    await listener.waitForOutput(/listening on/);
    const link = lab.node(1).dataLink;
    await link.down();
    await link.up();
    await listener.waitForOutput(new RegExp(GROUP));
    await listener.kill();
    await node.beaconsLeave();
    await learnt(mac());
  });

  test("on an interface that was made anew the group is joined again, and answered", async () => {
    await remakeEth0(lab.node(1), mac());
    await node.beaconsLeave();
    node.own({ address: VIP6 });
    await untilJoined();
    assert.equal(await lab.client.arping(VIP6), mac());
  });

  test("another host that announces the address is reported", async () => {
    await sendRaw(foreign(), [hex(announcementFrom(foreign()))]);
    const { heard } = await node.take("heard");
    assert.deepEqual([heard.address, heard.mac], [VIP6, foreign().mac()]);
  });

  const asked = () => solicitationFrom(lab.client);
  const BAD: readonly (readonly [name: string, counter: string, make: () => Uint8Array])[] = [
    ["with a wrong hop limit", "malformed-hop-limit", () => altered(asked(), OFFSET.hopLimit, 64)],
    ["with a bad checksum", "malformed-checksum", () => asked().with(OFFSET.checksum, 0)],
    [
      "with a zero-length option",
      "malformed-options",
      () => altered(asked(), OFFSET.options + 1, 0),
    ],
    [
      "with an option past the end",
      "malformed-options",
      () => withOptions(asked(), 14, 9, 0, 0, 0, 0, 0, 0),
    ],
    [
      "from a multicast source",
      "malformed-sender",
      () => solicitationFrom(lab.client, { sourceIp: "ff02::1" as Ip }),
    ],
    [
      "for the address, to the group of another one",
      "wrong-destination",
      () => solicitationFrom(lab.client, { destinationIp: "ff02::1:ff00:77" as Ip }),
    ],
  ];
  for (const [name, counter, make] of BAD) {
    test(`a solicitation ${name} is counted and not answered`, async () => {
      const before = await node.count("ndp-answered");
      assert.equal(await gained(counter, () => sendRaw(lab.client, [hex(make())])), 1);
      assert.equal(await node.count("ndp-answered"), before);
    });
  }

  test("solicitations for addresses of others do not reach the process", async () => {
    const frames = Array.from({ length: 500 }, () =>
      hex(solicitationFrom(lab.client, { target: "fd00:100::e0" as Ip })),
    );
    const before = (await node.report()).counters;
    await sendRaw(lab.client, frames);
    await sleep(QUIET_MS);
    const after = (await node.report()).counters;
    const names = Object.keys(after).filter((name) => /^ndp-(?!sent|announced)/.test(name));
    assert.deepEqual(
      names.filter((name) => after[name] !== before[name]),
      [],
    );
  });

  test("no solicitation is lost while the filter is replaced again and again", async () => {
    const count = 400;
    let isSending = true;
    const replace = (async () => {
      for (let i = 0; isSending; i++) {
        const more: IpRange = { family: 6, start: BigInt(i % 7), end: BigInt(i % 7) };
        node.tell({ type: "ranges", ranges: i % 2 === 0 ? POOL : [...POOL, more] });
        await sleep(1);
      }
    })();
    const frames = Array.from({ length: count }, () => hex(asked()));
    try {
      assert.equal(await gained("answered", () => sendRaw(lab.client, frames)), count);
    } finally {
      isSending = false;
      await replace;
    }
  });

  test("a flood of one host is limited, and another host is answered meanwhile", async () => {
    const flood = lab.client.spawn("flood", ["python3", "-c", FLOOD, "eth0", hex(asked())]);
    await flood.waitForOutput(/flooding/);
    await eventually("the limit", () => node.count("ndp-rate-limited"), {
      timeoutMs: 10_000,
      until: (limited) => limited > 0,
    });
    assert.equal(await foreign().arping(VIP6), mac());
    await flood.kill();
  });
});

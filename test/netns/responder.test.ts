// The responder thread on a real segment: who is answered, when it is silent, and that nothing the
// main thread does delays it. The kernel's neighbour table of another host is the judge.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { eventually } from "../lab/eventually.ts";
import { labForSuite } from "../lab/for-test.ts";
import type { Lab } from "../lab/lab.ts";
import {
  AnsweringNode,
  HOLD_MS,
  knownMac,
  remember,
  requestFrom,
  sendRaw,
  sendWhenFrozen,
  VIP,
} from "./support/answering.ts";

const SILENT_MS = 300;
/** A MAC that nobody has: what a neighbour remembers of an owner that is gone. */
const GONE = "02:00:00:00:64:77";

describe("responder", () => {
  let lab: Lab;
  let node: AnsweringNode;

  labForSuite({ nodes: 1 }, async (made) => {
    lab = made;
    node = await AnsweringNode.start(lab, lab.node(1));
  });

  /** Waits until the kernel of the client knows that MAC by itself. */
  const learnt = (mac: string) =>
    eventually(`the client to know ${mac}`, () => knownMac(lab.client), {
      until: (known) => known === mac,
    });

  const lapsesOver = (before: number) =>
    eventually("a tenure to lapse", () => node.lapses, { until: (lapses) => lapses > before });

  test("responder answers the client's kernel with the node's MAC", async () => {
    node.own();
    await node.settle();
    assert.equal(await lab.client.arping(VIP), lab.node(1).mac());
    assert.deepEqual(await lab.client.whoAnswers(VIP), [lab.node(1).mac()]);
    const { vips, problems } = await node.report();
    assert.deepEqual(problems, []);
    assert.ok((vips[0]?.answered ?? 0) >= 2);
    assert.deepEqual(
      { to: vips[0]?.lastAnswer?.to, interface: vips[0]?.lastAnswer?.interface },
      { to: lab.client.mac(), interface: "eth0" },
    );
  });

  test("responder answers a probe from 0.0.0.0 (duplicate address detection)", async () => {
    const argv = ["arping", "-D", "-c", "1", "-w", "2", "-I", "eth0", VIP];
    const { code, stdout } = await lab.client.tryRun(argv);
    assert.equal(code, 1, "arping -D exits with 1 when the address is in use");
    assert.match(stdout, new RegExp(lab.node(1).mac(), "i"));
  });

  test("responder's announcement corrects a stale entry of the client's kernel", async () => {
    await remember(lab.client, GONE);
    node.own();
    await learnt(lab.node(1).mac());
  });

  test("responder's repeated announcements correct an entry that went stale later", async () => {
    node.own();
    await node.settle();
    await remember(lab.client, GONE);
    await learnt(lab.node(1).mac());
  });

  test("responder does not answer for an address that is not granted", async () => {
    const before = await node.count("arp-not-ours");
    assert.equal(await lab.client.arping("192.168.100.201", SILENT_MS), null);
    assert.ok((await node.count("arp-not-ours")) > before);
  });

  test("responder is silent after a revoke", async () => {
    node.tell({ type: "revoke", address: VIP });
    await node.settle();
    assert.equal(await lab.client.arping(VIP, SILENT_MS), null);
    assert.deepEqual((await node.report()).vips, []);
    await remember(lab.client, GONE);
    await sleep(SILENT_MS);
    assert.equal(await knownMac(lab.client), GONE, "no announcement either");
  });

  test("responder is silent when the tenure ends, and answers again with the next", async () => {
    node.own();
    await node.settle();
    assert.equal(await lab.client.arping(VIP), lab.node(1).mac());
    const { lapses } = node;
    node.allowBeacons(false);
    await lapsesOver(lapses);
    assert.equal(await lab.client.arping(VIP, SILENT_MS), null);
    node.allowBeacons(true);
    await node.beaconsLeave();
    assert.equal(await lab.client.arping(VIP, SILENT_MS), null, "what was granted is gone");
    await remember(lab.client, GONE);
    await sleep(SILENT_MS);
    assert.equal(await knownMac(lab.client), GONE, "no announcement either");
    node.own();
    await learnt(lab.node(1).mac());
    assert.equal(await lab.client.arping(VIP), lab.node(1).mac());
  });

  test("responder frozen beyond its tenure wakes up silent and discards what queued", async () => {
    node.own();
    const before = (await node.report()).counters;
    const { lapses } = node;
    await node.freeze();
    const frames = Array.from({ length: 200 }, () => requestFrom(lab.client));
    await sendRaw(lab.client, frames);
    await sleep(HOLD_MS);
    await remember(lab.client, GONE);
    node.thaw();
    await lapsesOver(lapses);
    await sleep(SILENT_MS);
    const { counters, vips } = await node.report();
    assert.equal(counters["arp-answered"], before["arp-answered"]);
    // By the tenure, or by the grant that its end has taken away.
    const discarded = ["arp-tenure-lapsed", "arp-not-ours"].map(
      (name) => (counters[name] ?? 0) - (before[name] ?? 0),
    );
    assert.ok((discarded[0] ?? 0) + (discarded[1] ?? 0) >= frames.length, String(discarded));
    assert.deepEqual(vips, []);
    assert.equal(await knownMac(lab.client), GONE, "no answer and no announcement");
    node.own();
    await learnt(lab.node(1).mac());
  });

  test("responder frozen within its tenure answers what queued", async () => {
    node.own();
    await node.settle();
    const before = await node.count("arp-answered");
    const frames = [requestFrom(lab.client), requestFrom(lab.client)];
    const sent = await sendWhenFrozen(lab.client, node.pid, frames);
    await node.freeze();
    await sent();
    node.thaw();
    await eventually("the answers", () => node.count("arp-answered"), {
      until: (count) => count === before + 2,
    });
  });

  test("responder answers while the main thread is blocked for two seconds", async () => {
    node.own();
    await node.settle();
    node.block(2_000);
    await node.take("blocked");
    let answers = 0;
    while (!node.has("unblocked")) {
      assert.equal(await lab.client.arping(VIP, 1_000), lab.node(1).mac());
      answers += 1;
    }
    assert.ok(answers >= 5, `${answers} answers`);
    await node.take("unblocked");
  });

  test("responder hears another host that announces its address", async () => {
    node.own();
    await node.settle();
    const add = ["ip", "addr", "add", `${VIP}/32`, "dev", "eth0"];
    await lab.client.run(add);
    try {
      await lab.client.run(["arping", "-A", "-c", "1", "-I", "eth0", VIP]);
      const { heard } = await node.take("heard");
      assert.deepEqual(heard, {
        type: "heard",
        address: VIP,
        interface: "eth0",
        mac: lab.client.mac(),
      });
    } finally {
      await lab.client.run(["ip", "addr", "del", `${VIP}/32`, "dev", "eth0"]);
    }
  });

  test("responder stops in order and is silent from then on", async () => {
    node.own();
    await node.settle();
    assert.equal(await node.stop(), 0);
    assert.equal(await lab.client.arping(VIP, SILENT_MS), null);
  });
});

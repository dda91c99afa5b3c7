// An owner whose record is right and whose daemon is well, and for which the wire says otherwise.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { clusterForSuite, type DaemonCluster } from "../cluster/support/daemon-cluster.ts";
import { eventually } from "../lab/eventually.ts";

const ADDRESS = "192.168.100.50";
/** Four rounds of ten seconds, and a slow machine. */
const ROUNDS_MS = 60_000;

describe("the wire", () => {
  const cluster = clusterForSuite({ nodes: 3, gateway: true });

  test("on which another host answers, too, is told of by the observers and an Event", async () => {
    const c = cluster();
    await c.createService("web");
    assert.equal(await c.addressOf("web"), ADDRESS);
    const owner = await c.untilAnswering(ADDRESS);
    const { gateway } = c.lab;
    assert.ok(gateway !== null);
    await gateway.run(["ip", "address", "add", `${ADDRESS}/32`, "dev", "eth0"]);
    const others = c.lab.nodes.filter((node) => node.name !== owner);
    for (const { name } of others) {
      const told = new RegExp(`and .* answer on the wire for ${ADDRESS}, which "${owner}" owns`);
      const status = await c.untilStatus(c.daemon(name), told, ROUNDS_MS);
      assert.ok(status.includes(gateway.mac()), status);
    }
    const event = await c.untilEvent("web", "wireMismatch");
    assert.match(
      event.note,
      new RegExp(`node "${owner}" owns ${ADDRESS}, but on the wire .* answer`),
    );
    await gateway.run(["ip", "address", "del", `${ADDRESS}/32`, "dev", "eth0"]);
    for (const { name } of others) {
      await c.untilStatus(c.daemon(name), /health +ok/, ROUNDS_MS);
      const { stdout } = await c.daemon(name).lbctl(["history", ADDRESS]);
      assert.match(stdout, new RegExp(`wire +${owner} +0 +answered`));
    }
    assert.equal(await c.untilAnswering(ADDRESS), owner, "nothing has moved");
  });

  test("on which the owner is silent moves the address, once two nodes have found so", async () => {
    const c = cluster();
    const owner = await c.untilAnswering(ADDRESS);
    const filter = { oneWay: true, match: `arp saddr ip ${ADDRESS}` };
    const others = c.lab.nodes.filter((node) => node.name !== owner);
    const silenced = await c.lab.partition([c.node(owner)], [...others, c.lab.client], filter);
    assert.deepEqual(await c.lab.client.whoAnswers(ADDRESS), []);
    const accepts = (node: string): boolean => node !== owner;
    const next = await c.untilAnswering(ADDRESS, { accepts, timeoutMs: ROUNDS_MS });
    assert.match(
      await causes(c, next),
      new RegExp(`gained +${next} +\\d+ +owner-mute +from ${owner}`),
    );
    assert.match(await causes(c, next), new RegExp(`wire +${owner} +0 +nobody`));
    assert.match(await causes(c, owner), /lost +\S+ +\d+ +yielded/);
    await silenced.heal();
    for (const daemon of c.daemons.values()) {
      await c.untilStatus(daemon, /health +ok/, ROUNDS_MS);
    }
    assert.equal(await c.untilAnswering(ADDRESS), next);
  });

  test("from which no broadcast reaches the owner: an Event names the setting for it", async () => {
    const c = cluster();
    const owner = await c.untilAnswering(ADDRESS);
    // As some Wi-Fi drivers and hypervisors do.
    const filter = { oneWay: true, match: "ether daddr ff:ff:ff:ff:ff:ff arp operation request" };
    const others = c.lab.nodes.filter((node) => node.name !== owner);
    const deaf = await c.lab.partition([...others, c.lab.client], [c.node(owner)], filter);
    const told = async () =>
      (await c.events("web")).some(({ note }) => /promiscuousInterfaces/.test(note));
    await eventually("the Event", told, { timeoutMs: ROUNDS_MS, intervalMs: 500 });
    await deaf.heal();
    const histories = await Promise.all(others.map(({ name }) => causes(c, name)));
    assert.match(histories.join(), /wire +\S+ +0 +nobody +but it answers when it is asked alone/);
    for (const daemon of c.daemons.values()) {
      await c.untilStatus(daemon, /health +ok/, ROUNDS_MS);
    }
  });
});

async function causes(c: DaemonCluster, node: string): Promise<string> {
  const read = async () => (await c.daemon(node).lbctl(["history", ADDRESS])).stdout;
  return eventually("the history", read, { until: (text) => text !== "" });
}

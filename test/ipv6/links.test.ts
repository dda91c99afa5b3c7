// What happens to the interface of an owner while its daemon runs: after each of these somebody
// answers for both addresses with the MAC of an interface that is there, one host alone, and the
// node is well again.

import assert from "node:assert/strict";
import { afterEach, describe, test } from "node:test";
import { clusterForSuite } from "../cluster/support/daemon-cluster.ts";
import { runIp } from "../lab/command.ts";
import { eventually } from "../lab/eventually.ts";
import type { LabNode } from "../lab/node.ts";
import { remakeEth0 } from "../netns/support/remake-link.ts";
import { ADDRESS4, ADDRESS6, BOTH, DUAL_STACK, POOL6 } from "./support/dual-stack-pool.ts";

/** How often the client asks. */
const ROUNDS = 10;
const NEW_MAC = "02:00:00:00:64:99";

function addressLines(node: LabNode, device: string): string[] {
  return [
    `addr add ${node.address()}/24 dev ${device}`,
    `addr add ${node.address6()}/64 dev ${device} nodad`,
  ];
}

describe("links of an owner", () => {
  const cluster = clusterForSuite({
    ...{ nodes: 2, dualStack: true },
    prepare: (c) => c.controlPlane.apply(POOL6),
  });
  /** The MACs that the client's kernel learns for the two addresses. */
  const macs = async (): Promise<(string | null)[]> => {
    const { client } = cluster().lab;
    return [await client.arping(ADDRESS4), await client.arping(ADDRESS6)];
  };
  const untilAnsweredBy = (accepts: (mac: string) => boolean) =>
    eventually("both to be answered by one host", macs, {
      timeoutMs: 15_000,
      until: ([one, other]) => one != null && one === other && accepts(one),
    });
  const owner = async (): Promise<LabNode> => {
    const [mac] = await untilAnsweredBy(() => true);
    return cluster().lab.nodes.find((node) => node.mac() === mac) ?? assert.fail(String(mac));
  };
  const other = (node: LabNode): LabNode =>
    cluster().lab.nodes.find((one) => one !== node) ?? assert.fail();

  afterEach(async () => {
    const c = cluster();
    for (const daemon of c.daemons.values()) await c.untilStatus(daemon, /health +ok/, 30_000);
    assert.equal((await c.lab.client.whoAnswers(ADDRESS4)).length, 1);
  });

  test("the Service is answered at first", async () => {
    const c = cluster();
    await c.createService("web", DUAL_STACK);
    await eventually("both addresses", () => c.service("web"), {
      timeoutMs: 15_000,
      until: ({ addresses }) => BOTH.every((address) => addresses.includes(address)),
    });
    await owner();
  });

  test("a MAC that changes is never answered with again", async () => {
    const node = await owner();
    const before = node.mac();
    /** While the client asks again and again, no answer and no announcement has the MAC. */
    const isNotToldBy = async (mac: string): Promise<void> => {
      const answers = `arp[6:2] == 2 or (ip6 and ip6[40] == 136 and ip6[48:4] == 0xfd000100)`;
      const how = ["tcpdump", "-l", "-n", "-e", "-v", "-i", "eth0", answers];
      const seen = cluster().lab.client.spawn("answers", how);
      await seen.waitForOutput(/listening on/);
      for (let round = 0; round < ROUNDS; round++) await macs();
      await seen.waitForOutput(new RegExp(`${ADDRESS4}[^]*${ADDRESS6}|${ADDRESS6}[^]*${ADDRESS4}`));
      const text = seen.log();
      await seen.kill();
      // As the sender of the frame, or in what it tells: as whoever did answer stands there.
      const told = (who: string): RegExp[] =>
        [`${who} >`, `is-at ${who}`, `\\(1\\): ${who}`].map((form) => new RegExp(form));
      const [answered] = await macs();
      for (const form of told(answered ?? "nobody")) assert.match(text, form);
      for (const form of told(mac)) assert.doesNotMatch(text, form);
    };
    await runIp([`link set eth0 address ${NEW_MAC}`], node.namespace);
    await untilAnsweredBy((mac) => mac !== before);
    await isNotToldBy(before);
    await runIp([`link set eth0 address ${before}`], node.namespace);
    await untilAnsweredBy((mac) => mac !== NEW_MAC);
    await isNotToldBy(NEW_MAC);
  });

  test("an interface that goes down and comes back", async () => {
    const node = await owner();
    await runIp(["link set eth0 down"], node.namespace);
    await untilAnsweredBy((mac) => mac === other(node).mac());
    // The kernel gives up IPv6 addresses with the link.
    const [, address6 = ""] = addressLines(node, "eth0");
    await runIp(["link set eth0 up", address6], node.namespace);
  });

  test("an interface that is deleted and made anew", async () => {
    const node = await owner();
    await remakeEth0(node, node.mac(), async () => {
      await untilAnsweredBy((mac) => mac === other(node).mac());
    });
  });

  test("an interface that gets another name", async () => {
    const node = await owner();
    const rename = async (from: string, to: string): Promise<void> => {
      const [, address6 = ""] = addressLines(node, to);
      const lines = [`link set ${from} down`, `link set ${from} name ${to}`, `link set ${to} up`];
      await runIp([...lines, address6], node.namespace);
    };
    await rename("eth0", "lan0");
    // By the other node, or by this one when it was fast.
    await untilAnsweredBy(() => true);
    const c = cluster();
    await c.untilStatus(c.daemon(node.name), /health +ok/, 30_000);
    // It may own again, by that name.
    assert.equal((await c.daemon(other(node).name).lbctl(["drain"], 60_000)).code, 0);
    await untilAnsweredBy((mac) => mac === node.mac());
    assert.equal((await c.daemon(other(node).name).lbctl(["undrain"])).code, 0);
    await rename("lan0", "eth0");
  });

  test("an interface that loses its addresses", async () => {
    const node = await owner();
    await runIp(["addr flush dev eth0 scope global"], node.namespace);
    await untilAnsweredBy((mac) => mac === other(node).mac());
    await runIp(addressLines(node, "eth0"), node.namespace);
  });

  test("an interface that becomes a port of a bridge, which has the addresses then", async () => {
    const node = await owner();
    const bridge = [
      "link add br0 type bridge stp_state 0 forward_delay 0 mcast_snooping 0",
      `link set br0 address ${node.mac()}`,
      "addr flush dev eth0",
      "link set eth0 master br0",
      "link set br0 up",
      ...addressLines(node, "br0"),
    ];
    await runIp(bridge, node.namespace);
    const c = cluster();
    await c.untilStatus(c.daemon(node.name), /health +ok/, 30_000);
    assert.equal((await c.daemon(other(node).name).lbctl(["drain"], 60_000)).code, 0);
    await untilAnsweredBy((mac) => mac === node.mac());
    assert.equal((await c.daemon(other(node).name).lbctl(["undrain"])).code, 0);
  });
});

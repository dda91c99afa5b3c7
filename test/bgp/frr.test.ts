// lbd's part of a real FRR: what is rendered is what FRR prints, what changes is all that is
// changed, and what the administrator has beside it stays.

import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { difference } from "../../src/bgp/difference.ts";
import { Frr } from "../../src/bgp/frr.ts";
import type { BgpIntent } from "../../src/bgp/intent.ts";
import { parseConfig } from "../../src/bgp/lines.ts";
import { OWN_INSTANCE, renderFrr } from "../../src/bgp/render.ts";
import { readRunning } from "../../src/bgp/running.ts";
import { labForSuite } from "../lab/for-test.ts";
import { LabFrr } from "../lab/frr.ts";
import { bfdProfile, intentOf, peer, routeClass } from "../unit/bgp/support/intents.ts";

describe("FRR", () => {
  let frr: LabFrr;
  let driver: Frr;

  labForSuite({ nodes: 1 }, async (lab) => {
    frr = await LabFrr.start(lab.node(1));
  });
  before(() => {
    driver = new Frr(frr.vty());
  });

  const apply = async (intent: BgpIntent) => {
    const applied = await driver.apply(intent);
    assert.ok(applied.ok, JSON.stringify(applied));
    return applied.value;
  };

  const EVERYTHING = intentOf({
    peers: [
      peer("tor", { myASN: 64512, peerASN: 64513, peerAddress: "192.168.100.2" }),
      peer("all", {
        ...{ myASN: 64512, peerASN: 64514, peerAddress: "192.168.100.3", peerPort: 1179 },
        ...{ holdTime: "30s", keepaliveTime: "10s", connectTime: "7s", routerID: "10.0.0.9" },
        ...{ sourceAddress: "192.168.100.11", localASN: 64999, ebgpMultiHop: true },
        ...{ bfdProfile: "fast", enableGracefulRestart: true, dualStackAddressFamily: true },
        password: "a|b?c!d#e\"f'g\\hi$j;k",
      }),
      peer("inside", { myASN: 64512, dynamicASN: "internal", peerAddress: "fd00:100::3" }),
      peer("v6", { myASN: 64512, peerASN: 64517, peerAddress: "fd00:100::4" }),
      peer("outside", { myASN: 64512, dynamicASN: "external", interface: "eth0" }),
      peer("vrf", { myASN: 64515, peerASN: 64516, peerAddress: "10.8.0.2", vrf: "red" }),
    ],
    profiles: [
      bfdProfile("fast", {
        ...{ receiveInterval: 100, transmitInterval: 110, echoInterval: 120 },
        ...{ detectMultiplier: 5, echoMode: true, passiveMode: true, minimumTtl: 250 },
      }),
      bfdProfile("usual", {
        ...{ receiveInterval: 300, transmitInterval: 300, echoInterval: 50 },
        ...{ detectMultiplier: 3, minimumTtl: 254 },
      }),
    ],
    classes: [
      routeClass("web", ["10.1.0.1/32", "10.1.0.2/32", "fd00:1::1/128"], {
        tor: {
          localPref: 120,
          communities: ["0:0", "64512:20", "64512:100", "65535:666", "65535:65281"],
        },
        all: { communities: ["large:64512:1:2", "large:64512:5:2"] },
        vrf: {},
      }),
      routeClass("wide", ["10.2.0.0/24"], { all: {}, inside: {}, outside: {} }),
    ],
  });

  test("prints what was rendered, line for line", async () => {
    await apply(EVERYTHING);
    const { ours } = readRunning(parseConfig(await frr.running()), () => new Set());
    const wanted = renderFrr(EVERYTHING, () => OWN_INSTANCE);
    assert.deepEqual(difference(ours, wanted), []);
    assert.deepEqual(difference(wanted, ours), []);
  });

  test("is told nothing when it has all already", async () => {
    assert.equal((await apply(EVERYTHING)).commands, 0);
    // By a daemon that was started anew, too.
    const anew = await new Frr(frr.vty()).apply(EVERYTHING);
    assert.ok(anew.ok);
    assert.equal(anew.value.commands, 0);
  });

  test("is told only what changes of any setting, and prints it", async () => {
    const changes: BgpIntent[] = [
      { ...EVERYTHING, classes: EVERYTHING.classes.slice(1) },
      { ...EVERYTHING, routeMapIn: "from-outside" },
      { ...EVERYTHING, bfdProfiles: EVERYTHING.bfdProfiles.slice(1) },
      { ...EVERYTHING, peers: EVERYTHING.peers.slice(0, 3) },
      intentOf({
        ...EVERYTHING,
        peers: [
          peer("tor", { myASN: 64600, peerASN: 64513, peerAddress: "192.168.100.2" }),
          peer("all", { myASN: 64600, peerASN: 64599, peerAddress: "192.168.100.3" }),
        ],
      }),
      EVERYTHING,
      intentOf({}),
      EVERYTHING,
    ];
    for (const [index, intent] of changes.entries()) {
      assert.ok((await apply(intent)).commands > 0, `change ${index}`);
      assert.equal((await apply(intent)).commands, 0, `change ${index} again`);
      const { ours } = readRunning(parseConfig(await frr.running()), () => new Set());
      const wanted = renderFrr(intent, () => OWN_INSTANCE);
      assert.deepEqual(difference(ours, wanted), [], `change ${index}`);
    }
  });

  test("has nothing of lbd left when all is taken away", async () => {
    await apply(EVERYTHING);
    const withdrawn = await driver.withdraw();
    assert.ok(withdrawn.ok);
    assert.doesNotMatch(await frr.running(), /lbd-|router bgp|profile/);
  });

  const SMALL = intentOf({
    peers: [peer("tor", { myASN: 64512, peerASN: 64513, peerAddress: "192.168.100.2" })],
    classes: [routeClass("web", ["10.1.0.1/32"], { tor: {} })],
  });

  test("without bgpd takes nothing, says so, and has all again when that is back", async () => {
    await apply(SMALL);
    await frr.kill(["bgpd"]);
    const down = await driver.apply(SMALL);
    assert.equal(down.ok ? "ok" : down.failure.kind, "down");
    await frr.startDaemons(["bgpd"]);
    const { wasEmpty, commands, refused } = await apply(SMALL);
    assert.deepEqual([wasEmpty, commands > 0, refused], [true, true, null]);
    assert.match(await frr.running(), /network 10\.1\.0\.1\/32 route-map lbd-net-web/);
    assert.equal((await apply(SMALL)).commands, 0);
  });

  test("without bfdd takes all but BFD, and has that when bfdd is there", async () => {
    const fast = {
      ...{ myASN: 64512, peerASN: 64513, peerAddress: "192.168.100.2" },
      bfdProfile: "fast",
    };
    const watched = intentOf({
      ...SMALL,
      peers: [peer("tor", fast)],
      profiles: [bfdProfile("fast", { receiveInterval: 100 })],
    });
    await frr.kill(["bfdd"]);
    const applied = await apply(watched);
    assert.match(applied.refused ?? "", /bfd|profile/);
    assert.match(await frr.running(), /neighbor 192\.168\.100\.2 remote-as 64513/);
    const sessions = await driver.sessions(true);
    assert.equal(sessions.ok && sessions.value.length, 1);
    await frr.startDaemons(["bfdd"]);
    assert.equal((await apply(watched)).refused, null);
    assert.match(await frr.running(), / profile lbd-fast\n {2}receive-interval 100/);
  });

  test("refuses one line of one peer, and the others are in force", async () => {
    const wrong = { myASN: 64512, peerASN: 64513, localASN: 64512 };
    const two = intentOf({
      ...SMALL,
      peers: [...SMALL.peers, peer("wrong", { ...wrong, peerAddress: "192.168.100.3" })],
    });
    const { refused } = await apply(two);
    assert.match(refused ?? "", /local-as/);
    assert.match(await frr.running(), /neighbor 192\.168\.100\.2 activate/);
    const again = await apply(two);
    assert.deepEqual(again.restored, []);
    await apply(SMALL);
  });

  test("an instance of the administrator's with next to nothing in it stays", async () => {
    await driver.withdraw();
    await frr.configure("router bgp 65077", "bgp router-id 10.9.9.9", "exit");
    const anew = await new Frr(frr.vty()).withdraw();
    assert.ok(anew.ok && anew.value.commands === 0);
    assert.match(await frr.running(), /router bgp 65077\n bgp router-id 10\.9\.9\.9/);
    await frr.configure("no router bgp 65077");
  });

  test("what the administrator adds to lbd's instance is no change of lbd's", async () => {
    await apply(SMALL);
    await frr.configure("router bgp 64512", "neighbor 192.168.100.9 remote-as 1");
    assert.deepEqual((await apply(SMALL)).restored, []);
    await frr.configure("router bgp 64512", "no neighbor 192.168.100.9");
    assert.deepEqual((await apply(SMALL)).restored, []);
  });

  test("finds a peer several hops away by the default route", async () => {
    await driver.withdraw();
    const far = { myASN: 64512, peerASN: 64513, peerAddress: "10.77.0.1", ebgpMultiHop: true };
    const intent = intentOf({ peers: [peer("far", far)] });
    await apply(intent);
    assert.match(await frr.running(), /^ip nht resolve-via-default$/m);
    assert.equal((await apply(intent)).commands, 0);
    await driver.withdraw();
    assert.match(await frr.running(), /^ip nht resolve-via-default$/m);
    await frr.configure(
      "no ip nht resolve-via-default",
      "router bgp 64512",
      "neighbor 10.9.0.1 remote-as 1",
      "no bgp network import-check",
    );
    assert.ok((await new Frr(frr.vty()).apply(intent)).ok);
    assert.doesNotMatch(await frr.running(), /^ip nht resolve-via-default$/m);
    await frr.configure("no router bgp 64512");
  });
});

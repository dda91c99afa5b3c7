// What goes wrong beside the sessions: FRR that is not there, dies, hangs, or is changed by others;
// the Kubernetes API that is away; the daemon that is gone.

import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import type { BgpPeerView } from "../../src/api/types.ts";
import { eventually } from "../lab/eventually.ts";
import type { LabFrr } from "../lab/frr.ts";
import {
  bgpClusterForSuite,
  FIRST,
  NODE_ASN,
  peerManifest,
  routerOf,
  routesOf,
} from "./support/bgp-cluster.ts";

const ADMIN = [
  ...["ip prefix-list admins permit 10.0.0.0/8", "route-map admins permit 10", "exit"],
];

describe("BGP with FRR and others at fault", () => {
  const bgp = bgpClusterForSuite({ nodes: 1 });
  let node: string;
  let frr: LabFrr;

  before(async () => {
    const { cluster } = bgp();
    node = cluster.lab.node(1).address();
    const found = bgp().frr.get("node1");
    assert.ok(found !== undefined);
    frr = found;
    await frr.configure(...ADMIN);
    const peerAddress = routerOf(cluster.lab).address();
    await cluster.controlPlane.apply(peerManifest("router", { peerAddress }));
    await cluster.createService("web", {}, { "metallb.io/address-pool": "routed" });
    await cluster.createService("near", {}, { "metallb.io/address-pool": "lan" });
    await announced();
  });

  const hops = async () => (await routesOf(bgp().router))[`${FIRST}/32`];
  const announced = () =>
    eventually("the route", hops, { timeoutMs: 20_000, until: (all) => all?.join() === node });
  const daemon = () => bgp().cluster.daemon("node1");
  const status = (pattern: RegExp) => bgp().cluster.untilStatus(daemon(), pattern);
  /** How often a session came up: once more is another session. */
  const established = async () => {
    const all = await bgp().router.json<Record<string, { connectionsEstablished?: number }>>(
      `show bgp neighbors ${node} json`,
    );
    return all[node]?.connectionsEstablished;
  };
  const restartWith = async (settings: object) => {
    await daemon().kill("SIGUSR2");
    const config = { bgp: { ...frr.settings, ...settings } };
    await bgp().cluster.start(bgp().cluster.node("node1"), { config });
  };

  test("what an administrator has in FRR stays as it is", async () => {
    const text = await frr.running();
    assert.match(text, /^route-map admins permit 10$/m);
    assert.match(text, /ip prefix-list admins seq \d+ permit 10\.0\.0\.0\/8/);
  });

  test("lines of lbd that are changed by hand are restored, with a warning", async () => {
    const since = await established();
    await frr.configure(
      ...[`router bgp ${NODE_ASN}`, "address-family ipv4 unicast"],
      `no network ${FIRST}/32 route-map lbd-net-routed`,
    );
    await frr.configure("ip prefix-list lbd-v4-mine permit 10.0.0.0/8");
    await status(/changed by somebody else, and are restored/);
    await announced();
    assert.doesNotMatch(await frr.running(), /lbd-v4-mine/);
    assert.match(daemon().process.log(), /"event":"bgp-restored"/);
    assert.equal(await established(), since);
  });

  test("neither a Service that comes and goes nor a restart resets a session", async () => {
    const since = await established();
    const { cluster } = bgp();
    await cluster.createService("other", {}, { "metallb.io/address-pool": "routed" });
    const second = await cluster.addressOf("other");
    const has = async () => `${second}/32` in (await routesOf(bgp().router));
    await eventually("the second route", has);
    await cluster.deleteService("other");
    await eventually("no second route", async () => !(await has()));
    await restartWith({});
    await eventually("its session", async () => {
      const [view] = await daemon().items<BgpPeerView>("/v1/bgp/peers");
      return view?.up;
    });
    await announced();
    assert.equal(await established(), since);
  });

  test("FRR that was killed is told all again when it is back", async () => {
    await frr.kill();
    await status(/FRR cannot be driven/);
    const { cluster } = bgp();
    await cluster.untilAnswering(await cluster.addressOf("near"));
    await frr.startDaemons();
    await frr.configure(...ADMIN);
    await announced();
  });

  test("vtysh that hangs is given up, said, and tried again", async () => {
    frr.useVtysh("exec sleep 60");
    await status(/FRR did not answer vtysh within 10 s/);
    const { cluster } = bgp();
    await cluster.untilAnswering(await cluster.addressOf("near"));
    frr.useRealVtysh();
    await eventually(
      "an end of it",
      async () => !/did not answer/.test(await cluster.status(daemon())),
      {
        timeoutMs: 20_000,
      },
    );
    await announced();
  });

  test("without FRR only BGP complains; L2 works on", async () => {
    await restartWith({ vtysh: "/nowhere/vtysh" });
    await status(/FRR is not installed \(no \/nowhere\/vtysh\): sudo apt install frr/);
    const { cluster } = bgp();
    await cluster.untilAnswering(await cluster.addressOf("near"));
    await restartWith({});
    await announced();
  });

  test("routes stay while the API is gone, also through a restart of the daemon", async () => {
    const since = await established();
    const { cluster } = bgp();
    await cluster.controlPlane.stopApiServer();
    await restartWith({});
    await status(/the API cannot|reachable/);
    const views = () => daemon().items<BgpPeerView>("/v1/bgp/peers");
    await eventually("its session", views, {
      timeoutMs: 20_000,
      until: ([view]) => view?.up === true && view.sent === 1,
    });
    assert.equal((await hops())?.join(), node);
    assert.equal(await established(), since);
    await cluster.controlPlane.startApiServer();
    await announced();
  });

  test("a peer that FRR has of its own, or another AS number, is told", async () => {
    const { cluster } = bgp();
    const { controlPlane } = cluster;
    await controlPlane.kubectl(["delete", "bgppeer", "router", "-n", "metallb-system"]);
    await eventually("no route", hops, { until: (all) => all === undefined });
    await eventually("FRR without lbd", () => frr.running(), {
      until: (text) => !text.includes("router bgp"),
    });
    const peerAddress = routerOf(cluster.lab).address();
    await frr.configure("router bgp 64999", `neighbor ${peerAddress} remote-as 64513`);
    await controlPlane.apply(peerManifest("router", { peerAddress }));
    await status(/FRR has "router bgp 64999" of its own, and BGPPeer "router" wants AS 64512/);
    await frr.configure("no router bgp 64999");
    await frr.configure(`router bgp ${NODE_ASN}`, `neighbor ${peerAddress} remote-as 64513`);
    await status(/add "no bgp network import-check" to it/);
    await frr.configure(`router bgp ${NODE_ASN}`, "no bgp network import-check");
    await status(/FRR has "neighbor 192\.168\.100\.3" of its own/);
    await frr.configure(
      `router bgp ${NODE_ASN}`,
      `no neighbor ${peerAddress}`,
      "bgp log-neighbor-changes",
    );
    await announced();
    // Beside what is the administrator's, which stays when lbd's goes.
    await frr.configure(`router bgp ${NODE_ASN}`, "bgp bestpath as-path multipath-relax");
    await controlPlane.kubectl(["delete", "bgppeer", "router", "-n", "metallb-system"]);
    await eventually("FRR without lbd", () => frr.running(), {
      until: (text) => !text.includes("lbd-") && text.includes("multipath-relax"),
    });
    await frr.configure(`no router bgp ${NODE_ASN}`);
    await controlPlane.apply(peerManifest("router", { peerAddress }));
    await announced();
  });

  test("routes stay when the daemon is killed, and lbctl takes them back", async () => {
    await daemon().kill("SIGKILL");
    assert.equal((await hops())?.join(), node);
    const config = ["--config", daemon().configFile];
    const { code, stdout } = await daemon().lbctl(["bgp", "withdraw", ...config]);
    assert.deepEqual([code, stdout], [0, "FRR announces nothing of lbd any more.\n"]);
    await eventually("no route", hops, { until: (all) => all === undefined });
    assert.doesNotMatch(await frr.running(), /lbd-/);
    assert.match(await frr.running(), /route-map admins/);
    await bgp().cluster.start(bgp().cluster.node("node1"), { config: { bgp: frr.settings } });
    await announced();
    const refused = await daemon().lbctl(["bgp", "withdraw", ...config]);
    assert.equal(refused.code, 5);
    assert.match(refused.stderr, /the daemon runs/);
  });
});

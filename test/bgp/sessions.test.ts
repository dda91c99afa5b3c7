// Sessions of one node with a real router: every setting of a BGPPeer that the router can tell, and
// what is said when a session does not come up.

import assert from "node:assert/strict";
import { before, beforeEach, describe, test } from "node:test";
import type { BgpPeerView } from "../../src/api/types.ts";
import { eventually } from "../lab/eventually.ts";
import {
  bgpClusterForSuite,
  FIRST,
  NODE_ASN,
  peerManifest,
  ROUTER_ASN,
  routerOf,
  routesOf,
} from "./support/bgp-cluster.ts";

type Spec = Readonly<Record<string, unknown>>;
type Neighbor = Readonly<Record<string, unknown>>;

const PASSWORD = "s3cret";

describe("a BGP session", () => {
  const bgp = bgpClusterForSuite({ nodes: 1 });
  let node: string;
  let to: string;

  before(async () => {
    const { cluster } = bgp();
    node = cluster.lab.node(1).address();
    to = routerOf(cluster.lab).address();
    await cluster.createService("web", {}, { "metallb.io/address-pool": "routed" });
    await cluster.addressOf("web");
  });

  beforeEach(async () => {
    const { cluster, router } = bgp();
    await cluster.controlPlane.kubectl(["delete", "bgppeer", "--all", "-n", "metallb-system"]);
    const gone = async () => Object.keys(await routesOf(router)).length;
    await eventually("no route", gone, { until: (count) => count === 0, timeoutMs: 10_000 });
    await router.configure(
      ...[`router bgp ${ROUTER_ASN}`, `no neighbor ${node}`],
      ...[`neighbor ${node} remote-as ${NODE_ASN}`, `neighbor ${node} timers connect 1`],
    );
  });

  const apply = (name: string, spec: Spec) =>
    bgp().cluster.controlPlane.apply(peerManifest(name, { peerAddress: to, ...spec }));
  const router = (...lines: readonly string[]) =>
    bgp().router.configure(`router bgp ${ROUTER_ASN}`, ...lines);
  const views = () => bgp().cluster.daemon("node1").items<BgpPeerView>("/v1/bgp/peers");
  const untilView = (what: string, until: (view: BgpPeerView) => boolean) =>
    eventually(what, async () => (await views())[0], {
      timeoutMs: 20_000,
      until: (view) => view !== undefined && until(view),
    });
  const up = async () => {
    await untilView("the session to be up", (view) => view.up);
    const hops = async () => (await routesOf(bgp().router))[`${FIRST}/32`];
    await eventually("the route", hops, { until: (all) => all?.join() === node });
  };
  const neighbor = async (): Promise<Neighbor> => {
    const all = await bgp().router.json<Record<string, Neighbor>>(
      `show bgp neighbors ${node} json`,
    );
    return all[node] ?? {};
  };
  const secret = (data: Spec, type = "kubernetes.io/basic-auth") =>
    bgp().cluster.controlPlane.apply(
      JSON.stringify({
        ...{ apiVersion: "v1", kind: "Secret", type, stringData: data },
        metadata: { name: "tor", namespace: "metallb-system" },
      }),
    );
  const noSecret = () =>
    bgp().cluster.controlPlane.kubectl([
      ...["delete", "secret", "tor", "-n", "metallb-system", "--ignore-not-found"],
    ]);
  const status = (pattern: RegExp) =>
    bgp().cluster.untilStatus(bgp().cluster.daemon("node1"), pattern);

  test("has the times, the router ID and the source that its BGPPeer says", async () => {
    await apply("router", {
      ...{ holdTime: "30s", keepaliveTime: "10s", routerID: "10.9.9.9", sourceAddress: node },
    });
    await up();
    const told = await neighbor();
    assert.equal(told.bgpTimerHoldTimeMsecs, 30_000);
    assert.equal(told.remoteRouterId, "10.9.9.9");
  });

  test("shows the router a local AS number in place of its own", async () => {
    await router(`no neighbor ${node}`, `neighbor ${node} remote-as 64999`);
    await apply("router", { localASN: 64999 });
    await up();
    const path = await bgp().router.ask([`show bgp ipv4 unicast ${FIRST}/32`]);
    assert.match(path, /^ {2}64999$/m);
  });

  test("comes up with whatever AS number, when it is to be another one", async () => {
    await apply("router", { peerASN: 0, dynamicASN: "external" });
    await up();
  });

  test("says why it is down when the AS number is another than it is to be", async () => {
    await apply("router", { peerASN: 64600 });
    const view = await untilView("the reason", ({ problem }) => /AS/.test(problem ?? ""));
    assert.match(view?.problem ?? "", /Bad Peer AS/);
    await status(/BGP session with "router".*\n.*Bad Peer AS/);
  });

  test("comes up by the interface alone, without an address (unnumbered)", async () => {
    await router(
      `no neighbor ${node}`,
      ...["neighbor eth0 interface remote-as external", "neighbor eth0 timers connect 1"],
      ...["address-family ipv6 unicast", "neighbor eth0 activate", "exit-address-family"],
    );
    const spec = { peerAddress: undefined, interface: "eth0" };
    await apply("router", spec);
    await untilView("the session to be up", (view) => view.up);
    const routes = async () => Object.keys(await routesOf(bgp().router));
    await eventually("the route", routes, { until: (all) => all.includes(`${FIRST}/32`) });
    await router("no neighbor eth0 interface");
  });

  test("is protected by the password of a Secret, and by a new one when that changes", async () => {
    await router(`neighbor ${node} password ${PASSWORD}`);
    await secret({ password: PASSWORD });
    await apply("router", { passwordSecret: { name: "tor" } });
    await up();
    await router(`neighbor ${node} password another`);
    await secret({ password: "another" });
    await eventually("another password in FRR", () => bgp().frr.get("node1")?.running(), {
      timeoutMs: 20_000,
      until: (text) => text?.includes("password another") === true,
    });
    await up();
    await noSecret();
  });

  test("waits for its Secret, says so, and comes up when that is there", async () => {
    await noSecret();
    await apply("router", { passwordSecret: { name: "tor" } });
    await status(/BGPPeer "router" is not spoken with.*\n.*Secret "tor"/);
    await secret({ password: PASSWORD }, "Opaque");
    await status(/of type "Opaque" instead of "kubernetes.io\/basic-auth"/);
    await bgp().cluster.controlPlane.kubectl(["delete", "secret", "tor", "-n", "metallb-system"]);
    await secret({ password: PASSWORD });
    await router(`neighbor ${node} password ${PASSWORD}`);
    await up();
    await noSecret();
  });

  test("with a wrong password is down, and the reason is told", async () => {
    await router(`neighbor ${node} password ${PASSWORD}`);
    await apply("router", { password: "wrong" });
    await status(/another password's signature arrive: do the passwords differ\?/);
    await router(`no neighbor ${node} password`);
    await status(/segments without a signature arrive/);
  });

  test("with a router that is not there is down, and L2 works on", async () => {
    await apply("router", { peerAddress: "192.168.100.77" });
    await status(/BGP session with "router" is (Active|Connect|Idle)/);
    const { cluster } = bgp();
    await cluster.createService("near", {}, { "metallb.io/address-pool": "lan" });
    await cluster.untilAnswering(await cluster.addressOf("near"));
    await cluster.deleteService("near");
  });

  test("is watched by BFD with the profile's intervals", async () => {
    const spec = { receiveInterval: 150, transmitInterval: 160, detectMultiplier: 4 };
    const metadata = { name: "fast", namespace: "metallb-system" };
    const profile = { apiVersion: "metallb.io/v1beta1", kind: "BFDProfile", metadata, spec };
    await bgp().cluster.controlPlane.apply(JSON.stringify(profile));
    await router(`neighbor ${node} bfd`);
    await apply("router", { bfdProfile: "fast" });
    await up();
    await untilView("BFD to be up", ({ bfd }) => bfd === "up");
    const [about] = await bgp().router.json<Record<string, unknown>[]>("show bfd peers json");
    assert.deepEqual(
      [about?.["remote-receive-interval"], about?.["remote-transmit-interval"]],
      [150, 160],
    );
    assert.equal(about?.["remote-detect-multiplier"], 4);
  });

  test("lets no route of the router in, unless a route-map does", async () => {
    await router("address-family ipv4 unicast", "network 10.99.0.0/24", "exit-address-family");
    await router("no bgp network import-check");
    await apply("router", {});
    await up();
    assert.equal((await views())[0]?.received, 0);
    const { cluster, frr } = bgp();
    await frr.get("node1")?.configure("route-map from-router permit 10", "exit");
    const { settings } = frr.get("node1") ?? {};
    await cluster.daemon("node1").kill("SIGUSR2");
    await cluster.start(cluster.node("node1"), {
      config: { bgp: { ...settings, routeMapIn: "from-router" } },
    });
    await untilView("a route that is accepted", ({ received }) => received === 1);
    await cluster.daemon("node1").kill("SIGUSR2");
    await cluster.start(cluster.node("node1"), { config: { bgp: settings } });
    await untilView("none", ({ received, up: isUp }) => isUp && received === 0);
    await router("address-family ipv4 unicast", "no network 10.99.0.0/24", "exit-address-family");
  });

  test("is told by an Event on its BGPPeer when it comes up and when it goes down", async () => {
    await apply("router", {});
    await up();
    const { controlPlane } = bgp().cluster;
    const argv = ["get", "events.events.k8s.io", "-n", "metallb-system", "-o"];
    const format = "jsonpath={range .items[*]}{.reason}: {.note}{'\\n'}{end}";
    const untilEvent = (pattern: RegExp) =>
      eventually(`Event ${pattern}`, () => controlPlane.kubectl([...argv, format]), {
        timeoutMs: 10_000,
        until: (text) => pattern.test(text),
      });
    await untilEvent(/BGPSessionUp: session of node "node1" with 192\.168\.100\.3 is up/);
    await router(`neighbor ${node} shutdown`);
    await untilEvent(/BGPSessionDown: .* is down: .+/);
    await router(`no neighbor ${node} shutdown`);
  });

  test("with graceful restart keeps its route while FRR is restarted", async () => {
    const frr = bgp().frr.get("node1");
    assert.ok(frr !== undefined);
    const restart = async (): Promise<number> => {
      let missed = 0;
      let isOver = false;
      const watching = (async () => {
        while (!isOver) {
          const text = await bgp().router.ask([`show bgp ipv4 unicast ${FIRST}/32`]);
          if (!text.includes(node)) missed += 1;
        }
      })();
      await frr.kill();
      await frr.startDaemons();
      await up();
      isOver = true;
      await watching;
      return missed;
    };
    await apply("router", {});
    await up();
    assert.ok((await restart()) > 0);
    await bgp().cluster.controlPlane.kubectl([
      ...["delete", "bgppeer", "router", "-n", "metallb-system"],
    ]);
    await apply("router", { enableGracefulRestart: true });
    await up();
    assert.equal(await restart(), 0);
  });
});

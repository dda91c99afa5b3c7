// A client behind a router that knows three ways to an address: what it loses when one of them
// goes, planned and not.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { whileMachineRuns } from "../cluster/support/daemon-cluster.ts";
import { type Strike, struck } from "../cluster/support/strike.ts";
import { eventually } from "../lab/eventually.ts";
import { startKubeProxies } from "../lab/kube-proxy.ts";
import { Prober } from "../lab/prober.ts";
import { startUdpBackend } from "../lab/udp-backend.ts";
import {
  bgpClusterForSuite,
  FIRST,
  peerManifest,
  ROUTER_ASN,
  routerOf,
  untilRoutes,
} from "./support/bgp-cluster.ts";

const PORT = 5300;
const HOLD = "3s";

describe("a client behind a router", () => {
  const bgp = bgpClusterForSuite();
  let prober: Prober;
  let hops: string[];

  before(async () => {
    const { cluster, router } = bgp();
    const { lab, controlPlane } = cluster;
    hops = lab.nodes.map((node) => node.address());
    const host = routerOf(lab);
    // It forwards from and to one segment, and must not tell the client of the shorter way.
    const forwarding = ["net.ipv4.ip_forward=1", "net.ipv4.conf.all.send_redirects=0"];
    await host.run(["sysctl", "-qw", ...forwarding, "net.ipv4.conf.eth0.send_redirects=0"]);
    await lab.client.run(["ip", "route", "add", "192.168.200.0/24", "via", host.address()]);
    await startKubeProxies(controlPlane);
    const ports = [{ port: PORT, protocol: "UDP" }];
    await cluster.createService("udp", { ports }, { "metallb.io/address-pool": "routed" });
    await startUdpBackend(controlPlane, { service: "udp", port: PORT });
    await router.configure(
      `router bgp ${ROUTER_ASN}`,
      ...hops.map((hop) => `no neighbor ${hop} bfd`),
    );
    await peers({});
    prober = Prober.startWarm(lab, PORT);
  });
  after(() => prober?.stop());

  const peers = async (spec: object) => {
    const { cluster, router } = bgp();
    const peerAddress = routerOf(cluster.lab).address();
    await cluster.controlPlane.apply(
      peerManifest("router", { peerAddress, holdTime: HOLD, ...spec }),
    );
    await untilRoutes(router, { [`${FIRST}/32`]: hops }, 30_000);
  };
  const strike = async (about: Omit<Strike, "address">) => {
    const told = await struck(bgp().cluster, prober, { address: FIRST, ...about });
    await untilRoutes(bgp().router, { [`${FIRST}/32`]: hops }, 30_000);
    return told.blackout;
  };

  test("loses nothing when the node that it goes through is drained, and undrained", async () => {
    const { cluster } = bgp();
    await whileMachineRuns(cluster, FIRST, async () => {
      const blackout = await strike({
        strike: (node) => cluster.daemon(node.name).lbctl(["drain"]),
        heal: (node) => cluster.daemon(node.name).lbctl(["undrain"]),
      });
      assert.equal(blackout.lost, 0, JSON.stringify(blackout));
    });
  });

  test("loses nothing when its daemon is stopped, and started again", async () => {
    const { cluster } = bgp();
    await whileMachineRuns(cluster, FIRST, async () => {
      const blackout = await strike({
        strike: (node) => cluster.daemon(node.name).kill("SIGTERM"),
        heal: async (node) => {
          const frr = bgp().frr.get(node.name);
          await cluster.start(node, { config: { bgp: frr?.settings } });
        },
      });
      assert.equal(blackout.lost, 0, JSON.stringify(blackout));
    });
  });

  test("loses nothing when its daemon is killed, and goes the same way", async () => {
    const { cluster } = bgp();
    await whileMachineRuns(cluster, FIRST, async () => {
      const blackout = await strike({
        keepsOwner: true,
        watchMs: 2_000,
        strike: (node) => cluster.daemon(node.name).kill("SIGKILL"),
        heal: (node) =>
          cluster.start(node, { config: { bgp: bgp().frr.get(node.name)?.settings } }),
      });
      assert.equal(blackout.lost, 0, JSON.stringify(blackout));
    });
  });

  test("waits less with BFD than without, when a node dies", async () => {
    const { cluster, router } = bgp();
    const crash = () =>
      strike({
        strike: (node) => cluster.node(node.name).pullCables(),
        heal: (node) => cluster.node(node.name).plugCables(),
      });
    const without = await crash();
    const spec = { receiveInterval: 100, transmitInterval: 100, detectMultiplier: 3 };
    const metadata = { name: "fast", namespace: "metallb-system" };
    const profile = { apiVersion: "metallb.io/v1beta1", kind: "BFDProfile", metadata, spec };
    await cluster.controlPlane.apply(JSON.stringify(profile));
    await router.configure(
      ...["bfd", "profile fast", "receive-interval 100", "transmit-interval 100", "exit", "exit"],
      `router bgp ${ROUTER_ASN}`,
      ...hops.map((hop) => `neighbor ${hop} bfd profile fast`),
    );
    await peers({ bfdProfile: "fast" });
    await eventually(
      "BFD with all",
      () => router.json<{ status: string }[]>("show bfd peers json"),
      {
        timeoutMs: 20_000,
        until: (all) => all.length === 3 && all.every(({ status }) => status === "up"),
      },
    );
    const withBfd = await crash();
    console.log(`without BFD ${without.ms} ms, with ${withBfd.ms} ms`);
    assert.ok(withBfd.ms < without.ms, `${withBfd.ms} ms and ${without.ms} ms`);
  });
});

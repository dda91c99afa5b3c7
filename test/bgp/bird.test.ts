// A router of another make: BIRD, with a password, BFD, both families and communities.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { BgpPeerView } from "../../src/api/types.ts";
import { clusterForSuite } from "../cluster/support/daemon-cluster.ts";
import { LabBird } from "../lab/bird.ts";
import { eventually } from "../lab/eventually.ts";
import { LabFrr } from "../lab/frr.ts";
import type { LabNode } from "../lab/node.ts";
import {
  FIRST,
  NODE_ASN,
  peerManifest,
  ROUTED_POOL,
  ROUTER_ASN,
  routerOf,
} from "./support/bgp-cluster.ts";

const PASSWORD = "both-know-it";

/** As docs/bgp.md has it. */
function birdConfig(node: LabNode): string {
  return `
router id 10.9.0.1;
log stderr all;
protocol device { }
protocol bfd { interface "eth0" { interval 300 ms; multiplier 3; }; }
filter from_nodes { if net ~ [ 192.168.200.0/24{32,32} ] then accept; reject; }
filter from_nodes6 { if net ~ [ fd00:200::/120{128,128} ] then accept; reject; }
protocol bgp node1 {
  local as ${ROUTER_ASN};
  neighbor ${node.address()} as ${NODE_ASN};
  password "${PASSWORD}";
  bfd on;
  connect delay time 1;
  error wait time 1, 5;
  ipv4 { import filter from_nodes; export none; };
}
protocol bgp node1v6 {
  local as ${ROUTER_ASN};
  neighbor ${node.address6()} as ${NODE_ASN};
  connect delay time 1;
  error wait time 1, 5;
  ipv6 { import filter from_nodes6; export none; };
}
`;
}

describe("a router that runs BIRD", () => {
  let frr: LabFrr;
  let bird: LabBird;

  const cluster = clusterForSuite({
    nodes: 1,
    dualStack: true,
    foreignHost: true,
    config: () => ({ bgp: frr.settings }),
    prepare: async ({ lab, controlPlane }) => {
      frr = await LabFrr.start(lab.node(1));
      bird = await LabBird.start(routerOf(lab), birdConfig(lab.node(1)));
      await controlPlane.apply(ROUTED_POOL);
    },
  });

  test("gets routes of both families, over sessions with a password and BFD", async () => {
    const { lab, controlPlane } = cluster();
    const host = routerOf(lab);
    const apply = (object: object) => controlPlane.apply(JSON.stringify(object));
    const named = (kind: string, name: string, spec: object) =>
      apply({
        ...{ apiVersion: "metallb.io/v1beta1", kind, spec },
        metadata: { name, namespace: "metallb-system" },
      });
    await named("BFDProfile", "usual", {});
    const communities = ["64512:7", "large:64512:1:2"];
    await named("BGPAdvertisement", "routed", { ipAddressPools: ["routed"], communities });
    const watched = { password: PASSWORD, bfdProfile: "usual" };
    await controlPlane.apply(peerManifest("bird", { peerAddress: host.address(), ...watched }));
    await controlPlane.apply(peerManifest("bird6", { peerAddress: host.address6() }));
    const spec = { ipFamilyPolicy: "RequireDualStack" };
    await cluster().createService("web", spec, { "metallb.io/address-pool": "routed" });

    const routes = await eventually("both routes", () => bird.ask("show route all"), {
      timeoutMs: 30_000,
      until: (text) => text.includes(`${FIRST}/32`) && text.includes("fd00:200::/128"),
    });
    assert.match(routes, /BGP\.community: \(64512,7\)/);
    assert.match(routes, /BGP\.large_community: \(64512, 1, 2\)/);
    const views = () => cluster().daemon("node1").items<BgpPeerView>("/v1/bgp/peers");
    await eventually("BFD to be up", views, {
      timeoutMs: 20_000,
      until: (all) => all.every(({ up }) => up) && all[0]?.bfd === "up",
    });
    assert.match(await bird.ask("show bfd sessions"), /Up/);
  });

  test("loses them when the node is drained by force, and has them again after that", async () => {
    const daemon = cluster().daemon("node1");
    const has = async () => (await bird.ask("show route")).includes(`${FIRST}/32`);
    // The only node keeps what nobody else could announce.
    await daemon.lbctl(["drain", "--timeout", "1"]);
    await cluster().untilStatus(
      daemon,
      /This node should announce nothing by BGP .it is drained., and does/,
    );
    assert.equal(await has(), true);
    await daemon.lbctl(["drain", "--force"]);
    await eventually("no route", async () => !(await has()));
    await daemon.lbctl(["undrain"]);
    await eventually("the route", has);
  });
});

// Routes of Services at a real router: which nodes announce them, to whom, and how.

import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import type { BgpPeerView, BgpRouteView } from "../../src/api/types.ts";
import { eventually } from "../lab/eventually.ts";
import {
  bgpClusterForSuite,
  FIRST,
  peerManifest,
  routerOf,
  untilRoutes,
} from "./support/bgp-cluster.ts";

describe("announcing by BGP", () => {
  const bgp = bgpClusterForSuite();
  let hops: string[];

  before(async () => {
    const { cluster } = bgp();
    hops = cluster.lab.nodes.map((node) => node.address());
    const to = routerOf(cluster.lab).address();
    await cluster.controlPlane.apply(peerManifest("router", { peerAddress: to }));
  });

  test("a Service is announced from every node, and the router has a way to each", async () => {
    const { cluster, router } = bgp();
    await cluster.createService("web", {}, { "metallb.io/address-pool": "routed" });
    assert.equal(await cluster.addressOf("web"), FIRST);
    await untilRoutes(router, { [`${FIRST}/32`]: hops });
  });

  test("lbctl shows sessions and routes", async () => {
    const { cluster } = bgp();
    const daemon = cluster.daemon("node1");
    const [peer] = await eventually(
      "the session",
      () => daemon.items<BgpPeerView>("/v1/bgp/peers"),
      {
        until: ([one]) => one?.up === true && one.sent === 1,
      },
    );
    assert.equal(peer?.asn, 64513);
    const [route] = await daemon.items<BgpRouteView>("/v1/bgp/routes");
    assert.deepEqual(route, {
      prefix: `${FIRST}/32`,
      advertisements: ["routed"],
      services: ["default/web"],
      peers: [{ peer: "router", communities: [], localPref: 0 }],
    });
    console.log((await daemon.lbctl(["bgp", "peers"])).stdout);
    console.log((await daemon.lbctl(["bgp", "routes"])).stdout);
    console.log((await daemon.lbctl(["status"])).stdout);
    console.log((await daemon.lbctl(["explain", "web"])).stdout);
  });
});

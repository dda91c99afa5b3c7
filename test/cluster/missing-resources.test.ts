// Custom resource definitions that are not installed, or go while the daemon runs.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ControlPlane } from "../lab/control-plane.ts";
import { eventually } from "../lab/eventually.ts";
import { labForSuite } from "../lab/for-test.ts";
import { ADVERTISEMENT, DaemonCluster, POOL } from "./support/daemon-cluster.ts";

const ADDRESS = "192.168.100.50";
/** A reflector that is told that there is no such resource asks again within half a minute. */
const ASKED_AGAIN_MS = 60_000;

describe("missing resources", () => {
  let c: DaemonCluster;

  labForSuite({ nodes: 1 }, async (lab) => {
    const controlPlane = await ControlPlane.start(lab);
    await controlPlane.registerNodes();
    const kubeconfig = await controlPlane.installLbd({ definitions: false });
    c = new DaemonCluster(lab, controlPlane, kubeconfig);
    await c.start(lab.node(1));
  });

  test("definitions that are not installed are told, with what to do", async () => {
    const status = await c.untilStatus(c.daemon("node1"), /does not give .*ipaddresspools/);
    assert.match(status, /kubectl apply -f deploy\/crds\.yaml/);
    await c.createService("web");
  });

  test("once they are installed, everything works without a restart", async () => {
    await c.controlPlane.installLbd();
    await c.controlPlane.apply(POOL);
    await c.controlPlane.apply(ADVERTISEMENT);
    await c.untilStatus(c.daemon("node1"), /health +ok/, ASKED_AGAIN_MS);
    assert.equal(await c.addressOf("web"), ADDRESS);
    assert.equal(await c.untilAnswering(ADDRESS), "node1");
  });

  test("a definition for BGP that goes is told, and every address stays", async () => {
    await c.controlPlane.kubectl(["delete", "crd", "bgppeers.metallb.io", "--wait=false"]);
    const status = await c.untilStatus(c.daemon("node1"), /does not give bgppeers/, ASKED_AGAIN_MS);
    assert.match(status, /1 pool, 1 advertisement/);
    assert.equal(await c.untilAnswering(ADDRESS), "node1");
    await c.createService("later");
    assert.equal(await c.addressOf("later"), "192.168.100.51");
  });

  test("the definition of pools that goes takes their addresses, until it is back", async () => {
    const { controlPlane } = c;
    await controlPlane.kubectl(["delete", "crd", "ipaddresspools.metallb.io", "--wait=false"]);
    await eventually("no address", () => c.service("web"), {
      timeoutMs: ASKED_AGAIN_MS,
      until: ({ addresses }) => addresses.length === 0,
    });
    await c.untilStatus(c.daemon("node1"), /does not give .*ipaddresspools/, ASKED_AGAIN_MS);
    await controlPlane.installLbd();
    await controlPlane.apply(POOL);
    await c.untilStatus(c.daemon("node1"), /health +ok/, 2 * ASKED_AGAIN_MS);
    assert.match(await c.addressOf("web"), /^192\.168\.100\.5[01]$/);
    await c.untilAnswering(await c.addressOf("web"));
  });
});

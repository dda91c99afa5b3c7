// A cluster that is configured with MetalLB's old ConfigMap alone, until it is converted.

import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { ControlPlane } from "../lab/control-plane.ts";
import { labForSuite } from "../lab/for-test.ts";
import { DaemonCluster } from "./support/daemon-cluster.ts";

const ADDRESS = "192.168.100.50";
const NAMESPACE = "metallb-system";

function configMap(...pools: readonly string[]): string {
  return JSON.stringify({
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: "config", namespace: NAMESPACE },
    data: { config: `address-pools:\n${pools.map((pool) => `- ${pool}\n`).join("")}` },
  });
}

const LAN = "{name: lan, protocol: layer2, addresses: [192.168.100.50-192.168.100.59]}";
const EDGE = "{name: edge, protocol: bgp, auto-assign: false, addresses: [10.55.0.0/28]}";

describe("the old ConfigMap", () => {
  let c: DaemonCluster;
  let owner = "";

  labForSuite({ nodes: 2 }, async (lab) => {
    const controlPlane = await ControlPlane.start(lab);
    await controlPlane.registerNodes();
    c = new DaemonCluster(lab, controlPlane, await controlPlane.installLbd());
    await controlPlane.apply(configMap(LAN, EDGE));
    await Promise.all(lab.nodes.map((node) => c.start(node)));
  });

  test("gives a Service its address, and its node answers", async () => {
    await c.createService("web");
    assert.equal(await c.addressOf("web"), ADDRESS);
    owner = await c.untilAnswering(ADDRESS);
    const { stdout } = await c.daemon(owner).lbctl(["explain", ADDRESS]);
    assert.match(stdout, /ConfigMap "metallb-system\/config" config\.address-pools\[0\]/);
  });

  test("is followed as it changes: what is not valid is told, and changes nothing", async () => {
    await c.controlPlane.apply(configMap(LAN, EDGE.replace("10.55.0.0/28", "192.168.100.55/32")));
    const status = await c.untilStatus(c.daemon(owner), /overlaps .* of pool "lan"/);
    assert.match(
      status,
      /ConfigMap "metallb-system\/config" config\.address-pools\[1\]\.addresses/,
    );
    assert.match(status, /kubectl edit configmap config -n metallb-system/);
    assert.equal(await c.untilAnswering(ADDRESS), owner);
    await c.controlPlane.apply(configMap(LAN, EDGE));
    await c.untilStatus(c.daemon(owner), /health +ok/);
  });

  test("beside resources that say something else is refused, and nothing changes", async () => {
    const metadata = { name: "lan", namespace: NAMESPACE };
    const spec = { addresses: ["192.168.100.60-192.168.100.69"] };
    const pool = { apiVersion: "metallb.io/v1beta1", kind: "IPAddressPool", metadata, spec };
    await c.controlPlane.apply(JSON.stringify(pool));
    const status = await c.untilStatus(c.daemon(owner), /pool "lan" that differs/);
    assert.match(status, /pool "edge" that the custom resources do not have/);
    assert.equal(await c.untilAnswering(ADDRESS), owner);
  });

  test("is converted, applied and deleted, and every address stays", async () => {
    const daemon = c.daemon(owner);
    const argv = ["get", "configmap", "config", "-n", NAMESPACE, "-o", "yaml"];
    const file = join(c.lab.folder, "old.yaml");
    writeFileSync(file, await c.controlPlane.kubectl(argv));
    const { stdout } = await daemon.lbctl(["config", "convert", "-f", file]);
    await c.controlPlane.apply(stdout);
    await c.untilStatus(daemon, /health +ok/);
    await c.controlPlane.kubectl(["delete", "configmap", "config", "-n", NAMESPACE]);
    await c.createService("later");
    assert.equal(await c.addressOf("later"), "192.168.100.51");
    assert.equal(await c.addressOf("web"), ADDRESS);
    assert.equal(await c.untilAnswering(ADDRESS), owner);
  });
});

// Whatever is wrong is said where the user looks, and nothing that worked stops.

import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { startDaemon } from "../lab/daemon.ts";
import { eventually } from "../lab/eventually.ts";
import { clusterForSuite, POOL } from "./support/daemon-cluster.ts";

const ADDRESS = "192.168.100.50";

function pool(name: string, ...addresses: string[]): string {
  return JSON.stringify({
    apiVersion: "metallb.io/v1beta1",
    kind: "IPAddressPool",
    metadata: { name, namespace: "metallb-system" },
    spec: { addresses },
  });
}

describe("bad input", () => {
  const cluster = clusterForSuite({ nodes: 2, foreignHost: true });
  let owner = "";

  test("before it: a Service is served", async () => {
    const c = cluster();
    await c.createService("web");
    await c.addressOf("web");
    owner = await c.untilAnswering(ADDRESS);
  });

  for (const [what, addresses, pattern] of [
    ["a pool that overlaps another", "192.168.100.55-192.168.100.70", /overlaps .* of pool "lan"/],
    ["a range that runs backwards", "192.168.100.90-192.168.100.80", /the lower address first/],
    ["addresses that are none", "banana", /a CIDR or a range/],
  ] as const) {
    test(`${what} is refused in the status, and the last valid configuration stays`, async () => {
      const c = cluster();
      await c.controlPlane.apply(pool("wrong", addresses));
      const status = await c.untilStatus(c.daemon(owner), pattern);
      assert.match(status, /not valid: the last valid one is in use/);
      assert.match(status, /IPAddressPool "metallb-system\/wrong" spec\.addresses/);
      assert.equal(await c.untilAnswering(ADDRESS), owner);
      await c.controlPlane.kubectl(["delete", "ipaddresspool", "wrong", "-n", "metallb-system"]);
      await c.untilStatus(c.daemon(owner), /health +ok/);
    });
  }

  test("a bad BGPPeer is told beside a bad pool, and what worked goes on", async () => {
    const c = cluster();
    const spec = { myASN: 64_600, peerASN: 64_601, peerAddress: "tor.example", holdTime: "1s" };
    const metadata = { name: "tor", namespace: "metallb-system" };
    const peer = { apiVersion: "metallb.io/v1beta2", kind: "BGPPeer", metadata, spec };
    await c.controlPlane.apply(JSON.stringify(peer));
    await c.controlPlane.apply(pool("wrong", "banana"));
    const status = await c.untilStatus(c.daemon(owner), /found "banana"/);
    assert.match(status, /BGPPeer "metallb-system\/tor" spec\.peerAddress: found "tor\.example"/);
    assert.match(status, /BGPPeer "metallb-system\/tor" spec\.holdTime: found "1s"/);
    assert.match(status, /kubectl edit bgppeer tor -n metallb-system/);
    assert.equal(await c.untilAnswering(ADDRESS), owner);
    const both = ["ipaddresspool/wrong", "bgppeer/tor", "-n", "metallb-system"];
    await c.controlPlane.kubectl(["delete", ...both]);
    await c.untilStatus(c.daemon(owner), /health +ok/);
  });

  test("a pool never hands out node, network and broadcast addresses", async () => {
    const c = cluster();
    await c.controlPlane.apply(pool("lan", "192.168.100.0/24"));
    await c.untilStatus(c.daemon(owner), /192\.168\.100\.11 is the address of node "node1"/);
    for (const [name, ip, why] of [
      ["wants-node", "192.168.100.12", /it is the address of node "node2"/],
      ["wants-network", "192.168.100.0", /the network address of 192\.168\.100\.0\/24/],
      ["wants-broadcast", "192.168.100.255", /the broadcast address of 192\.168\.100\.0\/24/],
    ] as const) {
      await c.createService(name, { loadBalancerIP: ip });
      assert.match((await c.untilEvent(name, "AllocationFailed")).note, why);
    }
    await c.createService("any");
    assert.equal(await c.addressOf("any"), "192.168.100.1");
    assert.equal(await c.untilAnswering(ADDRESS), owner);
    await c.controlPlane.kubectl(["delete", "service", "any", "wants-node"]);
    await c.controlPlane.apply(POOL);
    await c.untilStatus(c.daemon(owner), /1 in the cluster/);
  });

  test("an interface that does not exist is named by Event and status", async () => {
    const c = cluster();
    const spec = { ipAddressPools: ["far"], interfaces: ["eth7"] };
    const metadata = { name: "far", namespace: "metallb-system" };
    await c.controlPlane.apply(pool("far", "192.168.100.200/32"));
    const everything = { name: "everything", namespace: "metallb-system" };
    const kind = { apiVersion: "metallb.io/v1beta1", kind: "L2Advertisement" };
    const onlyLan = { ...kind, metadata: everything, spec: { ipAddressPools: ["lan"] } };
    await c.controlPlane.apply(JSON.stringify(onlyLan));
    await c.controlPlane.apply(JSON.stringify({ ...kind, metadata, spec }));
    await c.createService("far", { loadBalancerIP: "192.168.100.200" });
    const event = await c.untilEvent("far", "announceFailed");
    assert.match(event.note, /selected interfaces "eth7" do not exist on node "node\d"/);
    const status = await c.untilStatus(c.daemon(owner), /Nobody answers for 192\.168\.100\.200/);
    assert.match(status, /names interface "eth7", which this node does not have/);
    assert.equal(await c.answering("192.168.100.200"), null);
    assert.equal(await c.untilAnswering(ADDRESS), owner);
    const names = ["service/far", "-n", "default"];
    await c.controlPlane.kubectl(["delete", ...names]);
    const both = ["ipaddresspool/far", "l2advertisement/far", "-n", "metallb-system"];
    await c.controlPlane.kubectl(["delete", ...both]);
  });

  test("another host that answers is told by Event, history and defence", async () => {
    const c = cluster();
    const foreign = c.lab.foreignHost;
    assert.ok(foreign !== null);
    await foreign.run(["ip", "address", "add", `${ADDRESS}/32`, "dev", "eth0"]);
    await foreign.run(["arping", "-A", "-c", "1", "-I", "eth0", ADDRESS]);
    const event = await c.untilEvent("web", "addressConflict");
    assert.match(event.note, new RegExp(`host ${foreign.mac()} also answers for ${ADDRESS}`));
    const { stdout } = await c.daemon(owner).lbctl(["history", ADDRESS]);
    assert.match(
      stdout,
      new RegExp(`conflict +${owner} +\\d+ +defended +${foreign.mac()} on eth0`),
    );
    await foreign.run(["ip", "address", "del", `${ADDRESS}/32`, "dev", "eth0"]);
    assert.equal(await c.untilAnswering(ADDRESS), owner);
  });

  test("a second daemon on a node ends with a clear word, and the first goes on", async () => {
    const c = cluster();
    const first = c.daemon(owner);
    const node = c.node(owner);
    const argv = [process.execPath, "src/daemon/main.ts", "--config", first.configFile];
    const second = await node.tryRun(argv, { timeoutMs: 20_000 });
    assert.equal(second.code, 75);
    assert.match(second.stderr, /another lbd is running on this host/);
    assert.equal(await c.untilAnswering(ADDRESS), owner);
    assert.equal((await first.lbctl(["status"])).code, 0);
  });

  test("an expired client certificate is told with its date and file, and waited for", async () => {
    const c = cluster();
    const kubeconfig = await c.controlPlane.expiredCertificateKubeconfig();
    const { folder } = c.lab.node(1);
    const files = { stateFile: join(folder, "new.db"), socket: join(folder, "new.sock") };
    // Beside the node's own daemon, which is not to hear of it.
    const apart = { nodeName: "spare", beacons: { port: 7_999 }, metrics: { port: 0 } };
    const options = { kubeconfig, config: { ...files, ...apart } };
    const daemon = await startDaemon(c.lab.node(1), options);
    const { code, stdout } = await daemon.lbctl(["status"]);
    assert.equal(code, 1);
    assert.match(stdout, /There are no credentials.*\n +cause: .*expired at \d{4}-/);
    assert.ok(stdout.includes(kubeconfig), stdout);
    await daemon.kill("SIGTERM");
  });

  test("a wrong node file ends the start with every problem, as --check does", async () => {
    const c = cluster();
    const file = join(c.lab.folder, "wrong.yaml");
    writeFileSync(file, "kubeconfg: /x\nlogLevel: loud\nstateFile: relative\n");
    for (const flags of [[], ["--check"]]) {
      const argv = [process.execPath, "src/daemon/main.ts", "--config", file, ...flags];
      const { code, stderr } = await c.lab.node(1).tryRun(argv, { timeoutMs: 20_000 });
      assert.equal(code, 78);
      assert.match(stderr, /kubeconfg: found an unknown key/);
      assert.match(
        stderr,
        /logLevel: found "loud", expected "debug" or "info" or "warn" or "error"/,
      );
      assert.match(stderr, /stateFile: found "relative", expected an absolute path/);
    }
  });

  test("after it: the Service is served as before", async () => {
    const c = cluster();
    assert.equal(await c.untilAnswering(ADDRESS), owner);
    await eventually("health", () => c.status(c.daemon(owner)), {
      timeoutMs: 15_000,
      until: (text) => /health +ok/.test(text),
    });
  });
});

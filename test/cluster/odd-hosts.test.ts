// Hosts that are not as they should be: a wall clock that is an hour off, another name than before.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { eventually } from "../lab/eventually.ts";
import { nodeManifest } from "../lab/manifests.ts";
import type { LabNode } from "../lab/node.ts";
import { clusterForSuite, type DaemonCluster, whileMachineRuns } from "./support/daemon-cluster.ts";
import { untilLive } from "./support/strike.ts";

const ADDRESS = "192.168.100.50";
/**
 * The wall clock alone: clocks that only count go as they go. The program of the same package would
 * stay between the test and the daemon, and take the signals that are meant for it.
 */
const HOUR_AHEAD = {
  env: {
    LD_PRELOAD: "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1",
    FAKETIME: "+1h",
    FAKETIME_DONT_FAKE_MONOTONIC: "1",
  },
};
/** More than the 15 s of a node Lease. */
const BEYOND_LEASE_MS = 17_000;

describe("a host", () => {
  const cluster = clusterForSuite({ nodes: 3 });

  test("whose clock is an hour ahead keeps, loses and takes addresses like any other", async () => {
    const c = cluster();
    await c.createService("web");
    assert.equal(await c.addressOf("web"), ADDRESS);
    const owner = await c.untilAnswering(ADDRESS);
    const ahead = c.other(owner).node.name;
    await c.daemon(ahead).kill("SIGTERM");
    await c.start(c.node(ahead), HOUR_AHEAD);
    await untilLive(c);
    const moved = await c.daemon(owner).lbctl(["move", ADDRESS, ahead]);
    assert.equal(moved.code, 0, moved.stderr);
    await whileMachineRuns(c, ADDRESS, async () => {
      const until = performance.now() + BEYOND_LEASE_MS;
      while (performance.now() < until) {
        assert.deepEqual(await c.lab.client.whoAnswers(ADDRESS), [c.node(ahead).mac()]);
      }
    });
    await c.node(ahead).pullCables();
    await c.untilAnswering(ADDRESS, { accepts: (node) => node !== ahead });
    await c.node(ahead).plugCables();
    await c.daemon(ahead).kill("SIGTERM");
    await c.start(c.node(ahead));
    // Its number of lives goes on from the hour ahead: its beacons are no old ones.
    await untilLive(c);
  });

  test("that was renamed is another node, and what it had is taken from the old one", async () => {
    const c = cluster();
    await untilLive(c);
    const owner = await c.untilAnswering(ADDRESS);
    const renamed = `${owner}-renamed`;
    await registerAs(c, c.node(owner), renamed);
    await c.daemon(owner).kill("SIGKILL");
    const daemon = await c.start(c.node(owner), { config: { nodeName: renamed } });
    const next = await eventually("one host to answer", () => c.lab.client.whoAnswers(ADDRESS), {
      timeoutMs: 20_000,
      until: (macs) => macs.length === 1,
    });
    assert.equal(next.length, 1);
    // What a garbage collector goes by; the lab has none.
    const uid = await c.controlPlane.kubectl([
      "get",
      "node",
      owner,
      "-o",
      "jsonpath={.metadata.uid}",
    ]);
    const lease = ["lease", `lbd-node-${owner}`, "-n", "lbd-system"];
    const belongsTo = ["-o", "jsonpath={.metadata.ownerReferences[0].uid}"];
    assert.equal(await c.controlPlane.kubectl(["get", ...lease, ...belongsTo]), uid);
    await c.controlPlane.kubectl(["delete", "node", owner]);
    await c.controlPlane.kubectl(["delete", ...lease]);
    const nodes = () => daemon.lbctl(["nodes"]);
    await eventually("the new name to be heard by all", () => c.other(owner).lbctl(["nodes"]), {
      until: ({ stdout }) => new RegExp(`${renamed} +alive +live`).test(stdout),
    });
    await eventually("three live daemons", nodes, {
      timeoutMs: 20_000,
      until: ({ stdout }) => (stdout.match(/ alive +live /g) ?? []).length === 3,
    });
    const status = await c.untilStatus(daemon, /health +ok/, 20_000);
    assert.match(status, new RegExp(`node +${renamed}, `));
    // The old name is no member any more that a majority would need.
    const last = await c.untilAnswering(ADDRESS);
    const survivor = c.daemons.get(last) ?? daemon;
    await survivor.kill("SIGKILL");
    await c.untilAnswering(ADDRESS, { accepts: (node) => node !== last, timeoutMs: 40_000 });
  });
});

/** The same host under another name, as its kubelet would register it. */
async function registerAs(c: DaemonCluster, node: LabNode, name: string): Promise<void> {
  const manifest = nodeManifest(node) as { metadata: { name: string; labels: object } };
  const named = { ...manifest, metadata: { ...manifest.metadata, name } };
  await c.controlPlane.kubectl(["create", "-f", "-"], JSON.stringify(named));
}

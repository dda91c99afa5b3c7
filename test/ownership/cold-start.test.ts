// Every node is started at once while there is no API: what the store remembers is served, by the
// same nodes, and nothing moves when the API is back.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { clusterForSuite, type DaemonCluster } from "../cluster/support/daemon-cluster.ts";
import { eventually } from "../lab/eventually.ts";

const SERVICES = ["one", "two", "three", "four"];

describe("a cluster that is started without an API server", () => {
  const cluster = clusterForSuite({ nodes: 3 });
  let owners = new Map<string, string>();

  test("answers for what it had, each node for its own", async () => {
    const c = cluster();
    for (const name of SERVICES) await c.createService(name);
    owners = await ownersOf(c, await addressesOf(c));
    await c.controlPlane.stopApiServer();
    await stopAll(c);
    for (const address of owners.keys()) {
      assert.deepEqual(await c.lab.client.whoAnswers(address), [], "nobody is there");
    }
    await Promise.all(c.lab.nodes.map((node) => c.start(node)));
    assert.deepEqual(await ownersOf(c, [...owners.keys()]), owners);
    const status = await c.untilStatus(c.daemon("node1"), /NOT reachable, never reached/);
    assert.match(status, /vips +4 in the cluster/);
  });

  test("fails over as fast as with one", async () => {
    const c = cluster();
    const [address = "", owner = ""] = [...owners][0] ?? [];
    await c.daemon(owner).kill("SIGKILL");
    const since = performance.now();
    const next = await c.untilAnswering(address, { accepts: (node) => node !== owner });
    assert.ok(performance.now() - since < 5_000, "no Lease had to expire");
    await c.start(c.node(owner));
    await eventually(`${owner} to be heard`, () => c.daemon(next).lbctl(["nodes"]), {
      until: ({ stdout }) => new RegExp(`${owner} .* live `).test(stdout),
    });
    assert.equal(await c.untilAnswering(address), next, "nothing moves back by itself");
    owners = await ownersOf(c, [...owners.keys()]);
  });

  test("moves nothing when the API is back, and writes down who has what", async () => {
    const c = cluster();
    await c.controlPlane.startApiServer();
    for (const daemon of c.daemons.values()) await c.untilStatus(daemon, /health +ok/, 40_000);
    assert.deepEqual(await ownersOf(c, [...owners.keys()]), owners);
    for (const [address, owner] of owners) {
      const read = async () => (await c.vip(c.daemon("node1"), address))?.owner ?? "";
      await eventually(`the record of ${address}`, read, {
        timeoutMs: 20_000,
        until: (name) => name === owner,
      });
    }
  });

  test("takes what a node that never comes up had, where a majority is there", async () => {
    const c = cluster();
    const [address = "", owner = ""] = [...owners][0] ?? [];
    await c.controlPlane.stopApiServer();
    await stopAll(c);
    const others = c.lab.nodes.filter((node) => node.name !== owner);
    await Promise.all(others.map((node) => c.start(node)));
    await c.untilAnswering(address);
    // Both may have claimed in the same moment: the one that ranks first stays.
    const macs = await eventually("one to answer", () => c.lab.client.whoAnswers(address), {
      until: (found) => found.length === 1,
    });
    const next = others.find((node) => node.mac() === macs[0])?.name ?? "";
    const { stdout } = await c.daemon(next).lbctl(["history", address]);
    const gained = new RegExp(`gained +${next} +\\d+ +owner-silent +from ${owner}: .*, unwritten`);
    assert.match(stdout, gained);
  });

  test("leaves alone what another had, when a node is alone", async () => {
    const c = cluster();
    await stopAll(c);
    const [alone] = c.lab.nodes;
    assert.ok(alone !== undefined);
    const daemon = await c.start(alone);
    const mine = async () => {
      const { stdout } = await daemon.lbctl(["vips", "-o", "json"]);
      const { items } = JSON.parse(stdout) as { items: { owner: string; here: string }[] };
      return items.filter((vip) => vip.owner === alone.name && vip.here !== "owning").length;
    };
    await eventually("it to answer for its own", mine, { until: (left) => left === 0 });
    const { stdout } = await daemon.lbctl(["vips"]);
    const taken = [...stdout.matchAll(/^(\S+) +(node\d).* owning /gm)].map((match) => match[2]);
    assert.deepEqual([...new Set(taken)], taken.length === 0 ? [] : [alone.name]);
    await c.controlPlane.startApiServer();
  });
});

/** SIGKILL: as when the power goes everywhere. */
async function stopAll(c: DaemonCluster): Promise<void> {
  await Promise.all([...c.daemons.values()].map((daemon) => daemon.kill("SIGKILL")));
}

function addressesOf(c: DaemonCluster): Promise<string[]> {
  return Promise.all(SERVICES.map((name) => c.addressOf(name)));
}

async function ownersOf(c: DaemonCluster, addresses: readonly string[]) {
  const owners = new Map<string, string>();
  for (const address of addresses) owners.set(address, await c.untilAnswering(address));
  return owners;
}

// Planned moves: while an address is moved, or its owner drained or restarted, somebody answers for
// it at every moment, and connections through it go on.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  clusterForSuite,
  type DaemonCluster,
  whileMachineRuns,
} from "../cluster/support/daemon-cluster.ts";
import { untilLive } from "../cluster/support/strike.ts";
import { deployBackends } from "../lab/backends.ts";
import { eventually } from "../lab/eventually.ts";
import { startKubeProxies } from "../lab/kube-proxy.ts";

const ADDRESS = "192.168.100.50";
const EXCLUDE = "node.kubernetes.io/exclude-from-external-load-balancers";

describe("an address that is moved on purpose", () => {
  const cluster = clusterForSuite({ nodes: 3 });

  test("leaves a node that is drained, without a gap, and the node takes none", async () => {
    const c = cluster();
    await c.createService("web", { ports: [{ port: 80, targetPort: 8080 }] });
    assert.equal(await c.addressOf("web"), ADDRESS);
    const owner = await c.untilAnswering(ADDRESS);
    await untilLive(c);
    const drained = await answeredDuring(c, () => c.daemon(owner).lbctl(["drain"]));
    assert.equal(drained.code, 0, drained.stdout + drained.stderr);
    assert.match(drained.stdout, new RegExp(`^${owner} is drained: it has no address left`));
    const next = await c.untilAnswering(ADDRESS, { accepts: (node) => node !== owner });
    const { stdout: gained } = await c.daemon(next).lbctl(["history", ADDRESS]);
    assert.match(gained, new RegExp(`gained +${next} +\\d+ +handed-over +from ${owner}`));
    const { stdout: lost } = await c.daemon(owner).lbctl(["history", ADDRESS]);
    assert.match(lost, new RegExp(`lost +\\S+ +\\d+ +handed-over .*: ${owner} is drained`));
    assert.match(
      await c.status(c.daemon(owner)),
      /This node is drained.*\n.*lbctl drain.*\n.*undrain/,
    );
    const { stdout: nodes } = await c.daemon(next).lbctl(["nodes"]);
    assert.match(nodes, new RegExp(`${owner} +alive +draining +0 `));
  });

  test("stays with the last node when all others are drained, which says so", async () => {
    const c = cluster();
    const owner = await c.untilAnswering(ADDRESS);
    for (const node of c.lab.nodes) {
      if (node.name !== owner) await c.daemon(node.name).lbctl(["drain"]);
    }
    const refused = await c.daemon(owner).lbctl(["drain", "--timeout", "2"]);
    assert.equal(refused.code, 1);
    assert.match(
      refused.stdout,
      /still answered here:\n {2}192\.168\.100\.50: the daemon of "node/,
    );
    assert.match(refused.stdout, /"lbctl drain --force" lets go of them/);
    assert.deepEqual(await c.lab.client.whoAnswers(ADDRESS), [c.node(owner).mac()]);
  });

  test("is let go of by force, and taken again when a node is drained no more", async () => {
    const c = cluster();
    const owner = await c.untilAnswering(ADDRESS);
    const forced = await c.daemon(owner).lbctl(["drain", "--force"]);
    assert.equal(forced.code, 0, forced.stdout);
    assert.deepEqual(await c.lab.client.whoAnswers(ADDRESS), []);
    const other = c.other(owner);
    assert.equal((await other.lbctl(["undrain"])).code, 0);
    await c.untilAnswering(ADDRESS, { accepts: (node) => node === other.node.name });
    for (const daemon of c.daemons.values()) await daemon.lbctl(["undrain"]);
    await untilLive(c);
    assert.equal(await c.answering(ADDRESS), other.node.name, "nothing moves back by itself");
  });

  test("is drained again by a daemon that was started anew", async () => {
    const c = cluster();
    const owner = await c.untilAnswering(ADDRESS);
    const other = c.other(owner).node.name;
    await c.daemon(other).lbctl(["drain"]);
    await c.daemon(other).kill("SIGTERM");
    await c.start(c.node(other));
    assert.match(await c.status(c.daemon(other)), /This node is drained/);
    await c.daemon(other).lbctl(["undrain"]);
    await untilLive(c);
  });

  test("goes to the node that one names, without a gap", async () => {
    const c = cluster();
    const first = await c.untilAnswering(ADDRESS);
    // One of the two is not the best for it.
    const others = c.lab.nodes.map(({ name }) => name).filter((name) => name !== first);
    let to = first;
    for (const next of others) {
      const from = to;
      const moved = await answeredDuring(c, () => c.daemon(from).lbctl(["move", ADDRESS, next]));
      const said = `${ADDRESS} has moved from ${from} to ${next}\n`;
      assert.deepEqual([moved.code, moved.stdout], [0, said]);
      assert.equal(await c.untilAnswering(ADDRESS), next);
      to = next;
      const plan = await c.daemon(to).lbctl(["plan", "rebalance"]);
      if (!plan.stdout.startsWith("Nothing")) break;
    }
    const { stdout: plan } = await c.daemon(to).lbctl(["plan", "rebalance"]);
    const { code, stdout } = await answeredDuring(c, () => c.daemon(to).lbctl(["rebalance"]));
    assert.deepEqual([code, stdout], [0, plan], "the plan is what is done");
  });

  test("does not go where it must not: the reason is told, and it stays", async () => {
    const c = cluster();
    const owner = await c.untilAnswering(ADDRESS);
    const [one = "", other = ""] = c.lab.nodes.map(({ name }) => name).filter((n) => n !== owner);
    await c.controlPlane.kubectl(["label", "node", one, `${EXCLUDE}=`]);
    await c.daemon(other).lbctl(["drain"]);
    await eventually("both to be known", () => c.daemon(owner).lbctl(["nodes"]), {
      until: ({ stdout }) => /it has the label/.test(stdout) && / draining /.test(stdout),
    });
    const refusals: readonly (readonly [string, string[], number, RegExp])[] = [
      [owner, [ADDRESS, one], 5, /"node\d" may not own it: it has the label/],
      [owner, [ADDRESS, other], 5, /the daemon of "node\d" is draining$/m],
      [owner, [ADDRESS, "node9"], 5, /there is no node "node9"/],
      [owner, [ADDRESS, owner], 5, /has it already/],
      [one, [ADDRESS, other], 5, new RegExp(`"${owner}" has it: run the command on that node`)],
      [owner, ["192.168.100.59", one], 4, /it is no external address of a Service/],
      [owner, ["x", one], 4, /Cannot move "x"/],
    ];
    for (const [on, args, status, words] of refusals) {
      const { code, stderr, stdout } = await c.daemon(on).lbctl(["move", ...args]);
      assert.deepEqual([code, stdout], [status, ""], args.join(" "));
      assert.match(stderr, words);
    }
    assert.equal(await c.answering(ADDRESS), owner);
    await c.controlPlane.kubectl(["label", "node", one, `${EXCLUDE}-`]);
    await c.daemon(other).lbctl(["undrain"]);
    await untilLive(c);
  });

  test("follows a change of labels without a gap", async () => {
    const c = cluster();
    const owner = await c.untilAnswering(ADDRESS);
    await answeredDuring(c, async () => {
      await c.controlPlane.kubectl(["label", "node", owner, `${EXCLUDE}=`]);
      await c.untilAnswering(ADDRESS, { accepts: (node) => node !== owner });
    });
    await c.controlPlane.kubectl(["label", "node", owner, `${EXCLUDE}-`]);
    const { stdout } = await c.daemon(owner).lbctl(["history", ADDRESS]);
    assert.match(stdout, /lost +\S+ +\d+ +handed-over .*: it has the label/);
    await untilLive(c);
  });

  test("stays over a restart of its owner's daemon, as a connection through it does", async () => {
    const c = cluster();
    await startKubeProxies(c.controlPlane);
    const owner = await c.untilAnswering(ADDRESS);
    const pods = c.lab.nodes.map((node) => ({ name: `web-${node.name}`, node }));
    await deployBackends(c.controlPlane, { service: "web", port: 8080, pods });
    const ask = () => c.lab.client.curl(`http://${ADDRESS}/`, { timeoutMs: 500 });
    await eventually("HTTP", ask, { until: ({ status }) => status === 200 });
    const stream = c.lab.client.spawn("stream", ["curl", "-sSN", `http://${ADDRESS}/stream`]);
    await stream.waitForOutput(/ 10\n/);
    await whileMachineRuns(c, ADDRESS, async () => {
      const before = await c.vip(c.daemon(owner), ADDRESS);
      await answeredDuring(c, async () => {
        await c.daemon(owner).kill("SIGUSR2");
        await c.start(c.node(owner));
        await owning(c, owner);
      });
      const after = await c.vip(c.daemon(owner), ADDRESS);
      assert.deepEqual([after?.owner, after?.epoch], [owner, before?.epoch]);
    });
    const lines = countLines(stream.log());
    await eventually("the connection to go on", async () => countLines(stream.log()), {
      until: (now) => now > lines + 10,
    });
    await stream.kill("SIGTERM");
  });

  test("is replaced in the detection time when its host dies in a restart", async () => {
    const c = cluster();
    await untilLive(c);
    const owner = await c.untilAnswering(ADDRESS);
    await c.daemon(owner).kill("SIGUSR2");
    assert.deepEqual(await c.lab.client.whoAnswers(ADDRESS), [c.node(owner).mac()]);
    const since = performance.now();
    await c.node(owner).pullCables();
    await c.untilAnswering(ADDRESS, { accepts: (node) => node !== owner });
    assert.ok(performance.now() - since < 5_000, "long before the hold of 10 s is over");
    await c.node(owner).plugCables();
    await c.start(c.node(owner));
    await untilLive(c);
  });

  test("is replaced when the daemon does not come back in its hold", async () => {
    const c = cluster();
    const owner = await c.untilAnswering(ADDRESS);
    await c.daemon(owner).kill("SIGTERM");
    const next = await c.untilAnswering(ADDRESS, { accepts: (node) => node !== owner });
    await c.daemon(next).kill("SIGTERM");
    await c.start(c.node(owner));
    await c.start(c.node(next), { config: { beacons: { restartHoldMs: 1_500 } } });
    await untilLive(c);
    const last = await c.untilAnswering(ADDRESS);
    await c.daemon(last).lbctl(["move", ADDRESS, next]);
    await c.untilAnswering(ADDRESS, { accepts: (node) => node === next });
    await c.daemon(next).kill("SIGUSR2");
    assert.deepEqual(await c.lab.client.whoAnswers(ADDRESS), [c.node(next).mac()]);
    await c.untilAnswering(ADDRESS, { accepts: (node) => node !== next });
    const { stdout } = await c.other(next).lbctl(["nodes"]);
    assert.match(stdout, new RegExp(`${next} +alive +- `), "its Lease was not given up");
    await c.start(c.node(next), { config: { drainOnCordon: true } });
    await untilLive(c);
  });

  test("leaves a node that is cordoned where that is configured", async () => {
    const c = cluster();
    const owner = await c.untilAnswering(ADDRESS);
    const careful = c.lab.nodes.map(({ name }) => name).find((name) => name !== owner) ?? "";
    await c.daemon(careful).kill("SIGTERM");
    await c.start(c.node(careful), { config: { drainOnCordon: true } });
    await untilLive(c);
    await c.daemon(owner).lbctl(["move", ADDRESS, careful]);
    await c.untilAnswering(ADDRESS, { accepts: (node) => node === careful });
    await answeredDuring(c, async () => {
      await c.controlPlane.kubectl(["cordon", careful]);
      await c.untilAnswering(ADDRESS, { accepts: (node) => node !== careful });
    });
    await c.untilStatus(c.daemon(careful), /its Node is cordoned, .*\n +next: +kubectl uncordon/);
    await c.controlPlane.kubectl(["uncordon", careful]);
    await c.untilStatus(c.daemon(careful), /health +ok/);
  });
});

/** Asks for the address again and again meanwhile: somebody answers every time. */
async function answeredDuring<T>(c: DaemonCluster, work: () => Promise<T>): Promise<T> {
  let isDone = false;
  const done = work().finally(() => {
    isDone = true;
  });
  try {
    while (!isDone) assert.notEqual((await c.lab.client.whoAnswers(ADDRESS)).length, 0);
  } finally {
    await done;
  }
  return done;
}

async function owning(c: DaemonCluster, node: string): Promise<void> {
  const here = async () => (await c.vip(c.daemon(node), ADDRESS))?.here;
  await eventually(`${node} to own it`, here, { until: (phase) => phase === "owning" });
}

function countLines(text: string): number {
  return text.split("\n").length;
}

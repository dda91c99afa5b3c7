// The way from MetalLB to lbd and back, by lbctl, against the real API server, with daemons on two
// nodes. MetalLB is stood in for: its workloads, its pods, and speakers that answer on the wire.

import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { wallMs } from "../../src/core/time.ts";
import { ApiClient } from "../../src/k8s-sync/client.ts";
import { loadKubeconfig } from "../../src/k8s-sync/kubeconfig.ts";
import { AnswerWatch } from "../lab/answers.ts";
import type { CommandResult } from "../lab/command.ts";
import { eventually } from "../lab/eventually.ts";
import { MetallbStandIn } from "../lab/metallb.ts";
import { ADVERTISEMENT, clusterForSuite, POOL } from "./support/daemon-cluster.ts";

const ADDRESSES = [50, 51, 52, 53, 54, 55].map((last) => `192.168.100.${last}`);
const CLI_MAIN = join(import.meta.dirname, "../../src/cli/main.ts");
const BESIDE_SPEAKER = /MetalLB's speaker runs on this node/;
const COMMAND_MS_MAX = 120_000;
/** Beyond what the speakers' grace and a look or two take, on a machine that has much to do. */
const GAP_MS_MAX = 3_000;

const BGP = {
  apiVersion: "metallb.io/v1beta1",
  kind: "BGPAdvertisement",
  metadata: { name: "all", namespace: "metallb-system" },
};

interface Workload {
  readonly metadata: { readonly annotations?: Readonly<Record<string, string>> };
  readonly spec: object;
}

describe("takeover", () => {
  const cluster = clusterForSuite({ nodes: 2 });
  let api: ApiClient;
  let metallb: MetallbStandIn;
  let watch: AnswerWatch;
  let original: { readonly controller: object; readonly speaker: object };

  const workload = (kind: string, name: string): Promise<Workload> =>
    cluster().controlPlane.get<Workload>(kind, name, "-n", "metallb-system");
  const specs = async () => ({
    controller: (await workload("deployment", "controller")).spec,
    speaker: (await workload("daemonset", "speaker")).spec,
  });
  const owners = async (): Promise<Record<string, string | null>> => {
    const c = cluster();
    const seen = await Promise.all(ADDRESSES.map((one) => c.vip(c.daemon("node1"), one)));
    return Object.fromEntries(seen.map((vip, i) => [ADDRESSES[i], vip?.owner ?? null]));
  };
  const expectedOwners = () =>
    Object.fromEntries(ADDRESSES.map((one) => [one, metallb.owner(one)]));
  const run = (...more: readonly string[]): Promise<CommandResult> => {
    const kubeconfig = ["--kubeconfig", cluster().controlPlane.adminKubeconfig];
    const argv = ["import", "metallb", ...kubeconfig, ...more];
    return cluster().daemon("node1").lbctl(argv, COMMAND_MS_MAX);
  };
  /** The same MAC throughout, that of MetalLB's own choice, and never for long none. */
  const assertSteady = async (): Promise<void> => {
    for (const [address, { macs, gapMs }] of Object.entries(await watch.report())) {
      assert.deepEqual(macs, [cluster().node(metallb.owner(address)).mac()], address);
      assert.ok(gapMs < GAP_MS_MAX, `${address} had no answer for ${gapMs} ms`);
    }
  };

  before(async () => {
    const c = cluster();
    const server = await c.controlPlane.openOnLoopback();
    const file = await c.controlPlane.kubeconfig(undefined, { server });
    api = new ApiClient(loadKubeconfig(file, { now: wallMs(Date.now()), allowInsecure: false }));
    metallb = new MetallbStandIn(c.lab, api);
    await metallb.start({
      replicas: 2,
      speaker: { pod: { nodeSelector: { "kubernetes.io/os": "linux" } } },
    });
    original = await specs();
    for (const daemon of c.daemons.values()) await c.untilStatus(daemon, BESIDE_SPEAKER, 30_000);
    await c.untilStatus(c.daemon("node1"), /MetalLB's controller is at work/, 30_000);
    for (const [index, ip] of ADDRESSES.entries()) {
      await c.createService(`web${index}`);
      const status = JSON.stringify({ status: { loadBalancer: { ingress: [{ ip }] } } });
      const how = ["--subresource=status", "--type=merge", "-p", status];
      await c.controlPlane.kubectl(["patch", "service", `web${index}`, ...how]);
    }
    await metallb.answerFor(ADDRESSES);
    await eventually("lbd to own all of it, in silence", owners, {
      timeoutMs: 20_000,
      until: (found) => !Object.values(found).includes(null),
    });
    watch = await AnswerWatch.start(c.lab);
  });

  after(async () => {
    watch?.stop();
    await metallb?.stop();
    await api?.close();
  });

  const assertRefused = async (words: RegExp, ...more: readonly string[]): Promise<void> => {
    const { code, stdout, stderr } = await run("--take-over", ...more);
    assert.deepEqual([code, stdout], [5, ""], stderr);
    assert.match(stderr, words);
    assert.deepEqual(await specs(), original, "nothing was changed");
  };

  test("before it lbd owns, in silence, what MetalLB's own order gives to each node", async () => {
    assert.deepEqual(await owners(), expectedOwners());
    assert.deepEqual(new Set(Object.values(expectedOwners())), new Set(["node1", "node2"]));
    await watch.begin(ADDRESSES);
  });

  test("a node that there is not is not taken over", async () => {
    const { code, stderr } = await run("--take-over", "--node", "nowhere");
    assert.equal(code, 4, stderr);
  });

  test("it is refused where something is announced by BGP", async () => {
    const { controlPlane } = cluster();
    await controlPlane.apply(JSON.stringify(BGP));
    await assertRefused(/Nobody would announce what 1 BGPAdvertisement announces now/);
    await controlPlane.kubectl(["delete", "bgpadvertisement", "all", "-n", "metallb-system"]);
  });

  test("it is refused where a Service would not keep its address", async () => {
    const { controlPlane } = cluster();
    await controlPlane.apply(POOL.replace("100.50-", "100.51-"));
    await eventually("the pool to be read", () => run("--dry-run"), {
      timeoutMs: 20_000,
      until: ({ stdout }) => /not kept: 1/.test(stdout),
    });
    await assertRefused(/Service default\/web0 would not keep its addresses/);
    await controlPlane.apply(POOL);
    await eventually("lbd to own all of it again", owners, {
      timeoutMs: 20_000,
      until: (found) => !Object.values(found).includes(null),
    });
  });

  test("it is refused where a speaker announces what no lbd would own", async () => {
    const { controlPlane } = cluster();
    const pod = await controlPlane.get<{ metadata: { uid: string } }>(
      ...["pod", "speaker-node1", "-n", "metallb-system"],
    );
    const ownerReferences = [
      { apiVersion: "v1", kind: "Pod", name: "speaker-node1", uid: pod.metadata.uid },
    ];
    const metadata = { name: "l2-x", namespace: "metallb-system", ownerReferences };
    const object = { apiVersion: "metallb.io/v1beta1", kind: "ServiceL2Status", metadata };
    await controlPlane.apply(JSON.stringify(object));
    const status = { node: "node1", serviceName: "web0", serviceNamespace: "default" };
    const how = ["--subresource=status", "--type=merge", "-p", JSON.stringify({ status })];
    const what = ["servicel2status", "l2-x", "-n", "metallb-system"];
    await controlPlane.kubectl(["patch", ...what, ...how]);
    await controlPlane.kubectl(["delete", "l2advertisement", "everything", "-n", "metallb-system"]);
    await eventually("lbd to own nothing", owners, {
      timeoutMs: 20_000,
      until: (found) => Object.values(found).every((owner) => owner === null),
    });
    await assertRefused(/answers for what no lbd owns: 192\.168\.100\.50 \(default\/web0\)/);
    await controlPlane.apply(ADVERTISEMENT);
    await eventually("lbd to own all of it again", owners, {
      timeoutMs: 20_000,
      until: (found) => !Object.values(found).includes(null),
    });
    await controlPlane.kubectl(["delete", ...what]);
  });

  test("--dry-run says all that is ahead, and changes nothing", async () => {
    const { code, stdout, stderr } = await run("--take-over", "--dry-run");
    assert.equal(code, 0, stderr);
    assert.deepEqual(
      stdout
        .trim()
        .split("\n")
        .map((line) => line.replace(/;.*/, "")),
      [
        'Deployment "controller": scaled from 2 to 0',
        "waiting for the controller's pods to go",
        "node1, node2: labeled, a speaker may run",
        'DaemonSet "speaker": runs by label from now on',
        "waiting for the DaemonSet's controller to see the change",
        ...["node1", "node2"].flatMap((node) => [
          `${node}: label changed, its speaker goes`,
          `${node}: waiting for its speaker to go`,
          `${node}: waiting for its lbd to answer`,
        ]),
      ],
    );
    assert.deepEqual(await specs(), original);
  });

  test("killed midway and run again it takes over the rest, and owners and MACs stay", async () => {
    const c = cluster();
    assert.deepEqual(await owners(), expectedOwners());
    await watch.begin(ADDRESSES);
    metallb.keepsPods = true;
    const { socket } = c.daemon("node1");
    const kubeconfig = ["--kubeconfig", c.controlPlane.adminKubeconfig];
    const argv = ["import", "metallb", ...kubeconfig, "--take-over"];
    const command = [process.execPath, CLI_MAIN, "--socket", socket, ...argv];
    const first = c.node("node1").spawn("take-over", command);
    await first.waitForOutput(/node1: waiting for its speaker to go/, 60_000);
    await first.kill("SIGKILL");
    metallb.keepsPods = false;
    const second = await run("--take-over");
    assert.equal(second.code, 0, second.stderr);
    assert.match(second.stdout, /^MetalLB answers nowhere, and gives no addresses$/m);
    assert.doesNotMatch(second.stderr, /scaled|by label|node1: label/, "it is done already");
    await assertSteady();
    assert.deepEqual(await owners(), expectedOwners());
    const pods = await c.controlPlane.get<{ items: object[] }>("pods", "-n", "metallb-system");
    assert.deepEqual(pods.items, []);
  });

  test("lbd gives addresses then, and taking over again does nothing", async () => {
    const c = cluster();
    await c.createService("late");
    assert.notEqual(await c.addressOf("late"), "");
    await c.deleteService("late");
    const { code, stderr } = await run("--take-over");
    assert.equal(code, 0);
    assert.equal(stderr, "");
  });

  test("--roll-back --node gives one node back, and the other stays with lbd", async () => {
    const c = cluster();
    const { code, stdout, stderr } = await run("--roll-back", "--node", "node2");
    assert.equal(code, 0, stderr);
    assert.match(stdout, /^still lbd's: node1$/m);
    await c.untilStatus(c.daemon("node2"), BESIDE_SPEAKER);
    await assertSteady();
  });

  test("--roll-back puts back all that was changed, and owners and MACs stay", async () => {
    const c = cluster();
    const { code, stdout, stderr } = await run("--roll-back");
    assert.equal(code, 0, stderr);
    assert.match(stdout, /^MetalLB is as it was before$/m);
    await assertSteady();
    assert.deepEqual(await specs(), original);
    assert.deepEqual(await owners(), expectedOwners());
    const nodes = await c.controlPlane.kubectl(["get", "nodes", "-o", "yaml"]);
    assert.doesNotMatch(nodes, /lbd-migration/);
    for (const [kind, name] of [
      ["deployment", "controller"],
      ["daemonset", "speaker"],
    ] as const) {
      const { annotations = {} } = (await workload(kind, name)).metadata;
      assert.doesNotMatch(JSON.stringify(annotations), /lbd-migration/);
    }
    await c.untilStatus(c.daemon("node1"), BESIDE_SPEAKER);
    await c.untilStatus(c.daemon("node1"), /MetalLB's controller is at work/, 30_000);
  });

  test("it is refused where a node with a speaker has no lbd, or one in shadow mode", async () => {
    const c = cluster();
    await c.daemon("node2").kill("SIGTERM");
    await assertRefused(/node "node2": it has a speaker, and no lbd that is active/);
    await c.start(c.node("node2"), { config: { mode: "shadow" } });
    await assertRefused(/node "node2": .*start lbd there with "mode: active"/);
  });
});

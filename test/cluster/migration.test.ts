// Coming from MetalLB, and changing a configuration that is in use, against the real API server:
// the plan is what happens then, and lbd keeps out of the way while somebody else is at work.
// MetalLB itself is not there; its objects are made as its chart does, and their status is set.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import type { ConfigPlanView } from "../../src/api/plan-view.ts";
import type { ItemView } from "../../src/api/types.ts";
import { Ranking } from "../../src/ownership/ranking.ts";
import { eventually } from "../lab/eventually.ts";
import { ip } from "../support/ipam-requests.ts";
import { controllerObject, speakerObject } from "../support/metallb-objects.ts";
import { clusterForSuite, type DaemonCluster } from "./support/daemon-cluster.ts";
import { metallbWorks } from "./support/metallb-works.ts";

const NODES = ["node1", "node2"] as const;
const POOL_ANNOTATION = "metallb.io/ip-allocated-from-pool";

function pool(name: string, addresses: readonly string[], more: object = {}): string {
  const metadata = { name, namespace: "metallb-system" };
  const spec = { addresses, ...more };
  const kind = "IPAddressPool";
  return JSON.stringify({ apiVersion: "metallb.io/v1beta1", kind, metadata, spec });
}

async function plan(c: DaemonCluster, node: string, text: string): Promise<ConfigPlanView> {
  const file = join(c.node(node).folder, "planned.yaml");
  writeFileSync(file, text);
  const { code, stdout, stderr } = await c.daemon(node).lbctl(["-o", "json", "plan", "-f", file]);
  assert.ok(code === 0 || code === 1, stderr);
  return (JSON.parse(stdout) as ItemView<ConfigPlanView>).item;
}

async function addresses(c: DaemonCluster, name: string): Promise<string> {
  return (await c.service(name)).addresses.join();
}

/** What an uninstalled MetalLB may leave: it asks a Service that is not there. */
const LEFTOVER_WEBHOOK = {
  apiVersion: "admissionregistration.k8s.io/v1",
  kind: "ValidatingWebhookConfiguration",
  metadata: { name: "metallb-webhook-configuration" },
  webhooks: [
    {
      name: "ipaddresspoolvalidationwebhook.metallb.io",
      clientConfig: { service: { namespace: "metallb-system", name: "metallb-webhook-service" } },
      rules: [
        {
          apiGroups: ["metallb.io"],
          apiVersions: ["v1beta1"],
          operations: ["CREATE", "UPDATE"],
          resources: ["ipaddresspools"],
        },
      ],
      failurePolicy: "Fail",
      sideEffects: "None",
      admissionReviewVersions: ["v1"],
      timeoutSeconds: 2,
    },
  ],
};

describe("migration", () => {
  const cluster = clusterForSuite({ nodes: 2 });

  test("plan -f shows, on any node, what becomes of each Service; applying does that", async () => {
    const c = cluster();
    for (const name of ["kept", "moved", "lost"]) {
      await c.createService(name);
      await c.addressOf(name);
    }
    await c.createService("waiting", {}, { "metallb.io/address-pool": "gold" });
    await c.untilEvent("waiting", "AllocationFailed");
    const text = [
      pool("lan", ["192.168.100.50/32", "192.168.100.59/32"]),
      pool("gold", ["192.168.100.80/32"], { autoAssign: false }),
    ].join("\n---\n");
    const expected = {
      "default/kept": ["keeps", "192.168.100.50", "192.168.100.50"],
      "default/lost": ["loses", "192.168.100.52", ""],
      "default/moved": ["moves", "192.168.100.51", "192.168.100.59"],
      "default/waiting": ["gains", "", "192.168.100.80"],
    };
    // "lost" asks for what it has, which is in no pool then.
    const request = { spec: { loadBalancerIP: "192.168.100.52" } };
    await c.controlPlane.kubectl(["patch", "service", "lost", "-p", JSON.stringify(request)]);
    const notices: string[] = [];
    for (const node of NODES) {
      const view = await eventually("the plan", () => plan(c, node, text), {
        until: ({ summary }) => summary.loses === 1,
      });
      const found = view.services.map(({ service, change, before, after }) => {
        return [service, [change, before.join(), after.join()]] as const;
      });
      assert.deepEqual(Object.fromEntries(found), expected, node);
      notices.push(...view.notices);
    }
    // The leader has not asked for what is in no pool yet; the other one knows of no question.
    const [asked = "", known = ""] = notices.toSorted();
    assert.match(asked, /^Not asked for on the network yet: .*192\.168\.100\.80; /);
    assert.match(known, /^Not known here is .* \(the leader does, node node\d: ask there\)/);
    assert.equal(await addresses(c, "lost"), "192.168.100.52", "a plan changes nothing");
    await c.controlPlane.apply(text);
    for (const [key, [, , after]] of Object.entries(expected)) {
      const name = key.replace("default/", "");
      await eventually(`${name} to have "${after}"`, () => addresses(c, name), {
        timeoutMs: 10_000,
        until: (has) => has === after,
      });
    }
  });

  test("plan -f of what is not valid names every problem, and ends with 1", async () => {
    const c = cluster();
    const text = `${pool("lan", ["nonsense"])}\n---\n${pool("gold", ["192.168.100.80/33"])}`;
    const file = join(c.node("node1").folder, "planned.yaml");
    writeFileSync(file, text);
    const { code, stdout, stderr } = await c.daemon("node1").lbctl(["plan", "-f", file]);
    assert.deepEqual([code, stderr.trim().split("\n").length], [1, 2]);
    assert.match(stdout, /^Not valid: /);
  });

  test("while MetalLB's controller is available no address is given; then at once", async () => {
    const c = cluster();
    await c.controlPlane.apply(pool("lan", ["192.168.100.50-192.168.100.59"]));
    await metallbWorks(c, controllerObject());
    for (const node of NODES) {
      const status = await c.untilStatus(c.daemon(node), /MetalLB's controller is at work/, 30_000);
      assert.match(status, /cause: Deployment "metallb-system\/controller" has 1 available pod/);
    }
    await c.createService("late");
    await c.createService("theirs");
    const status = { loadBalancer: { ingress: [{ ip: "192.168.100.58" }] } };
    const how = ["--subresource=status", "--type=merge", "-p", JSON.stringify({ status })];
    await c.controlPlane.kubectl(["patch", "service", "theirs", ...how]);
    await new Promise((resolve) => setTimeout(resolve, 2_000));
    assert.equal(await addresses(c, "late"), "");
    for (const node of NODES) {
      const { code, stdout } = await c.daemon(node).lbctl(["explain", "default/late"]);
      assert.match(stdout, /has no address: addresses are left to MetalLB's controller/, node);
      assert.equal(code, 1);
    }
    const { annotations } = await c.service("theirs");
    assert.equal(annotations[POOL_ANNOTATION as never], undefined, "it is the other's to write");
    await metallbWorks(c, controllerObject({ available: 0 }));
    await eventually("an address once it is gone", () => addresses(c, "late"), {
      timeoutMs: 40_000,
    });
    assert.equal(await addresses(c, "theirs"), "192.168.100.58", "what it has is taken over");
  });

  test("while MetalLB's speaker runs on a node it answers alone; then lbd does", async () => {
    const c = cluster();
    const address = await c.addressOf("late");
    const owner = (await eventually("an answer", () => c.answering(address))) ?? "";
    await metallbWorks(
      c,
      speakerObject({ pod: { nodeSelector: { "kubernetes.io/hostname": owner } } }),
    );
    await c.untilStatus(c.daemon(owner), /MetalLB's speaker runs on this node/, 30_000);
    assert.equal(await c.answering(address), null);
    const { stdout } = await c.daemon(owner).lbctl(["explain", address]);
    assert.match(stdout, /BAD wire +this node leaves it to MetalLB's speaker/);
    const elsewhere = { nodeSelector: { "kubernetes.io/hostname": "nowhere" } };
    await metallbWorks(c, speakerObject({ pod: elsewhere }));
    // It may be another's by then: there is no speaker here, so nobody answered on the wire.
    await eventually("an answer once it is gone", () => c.answering(address), {
      timeoutMs: 40_000,
    });
    await c.controlPlane.kubectl(["delete", "daemonset", "speaker", "-n", "metallb-system"]);
  });

  test("import metallb finds what is in the way, and removes what does no harm", async () => {
    const c = cluster();
    const helms = "app.kubernetes.io/managed-by=Helm";
    await c.controlPlane.kubectl(["label", "crd", "ipaddresspools.metallb.io", helms]);
    await metallbWorks(c, controllerObject({ available: 0, arguments: ["--lb-class=metal"] }));
    await c.controlPlane.apply(JSON.stringify(LEFTOVER_WEBHOOK));
    const refused = () => c.controlPlane.apply(pool("lan", ["192.168.100.50-192.168.100.58"]));
    await eventually("the webhook to refuse", () =>
      refused().then(
        () => false,
        () => true,
      ),
    );
    const kubeconfig = ["--kubeconfig", c.controlPlane.adminKubeconfig];
    const run = (...more: readonly string[]) =>
      c.daemon("node1").lbctl(["import", "metallb", ...kubeconfig, ...more], 60_000);
    const first = await run();
    assert.equal(first.code, 1, first.stderr);
    assert.match(first.stdout, /"helm uninstall" would delete 1 CRD/);
    assert.match(first.stdout, /"metallb-webhook-configuration" refuses every/);
    assert.match(first.stdout, /loadBalancerClass: "metal"/);
    assert.match(first.stdout, /^addresses all \d+ are kept as they are$/m);
    const long = first.stdout.split("\n").filter((line) => line.length > 80 && !/^[#k]/.test(line));
    assert.deepEqual(long, []);
    assert.ok(
      await refused().then(
        () => false,
        () => true,
      ),
      "looking changes nothing",
    );
    for (let round = 0; round < 2; round++) {
      const { stdout } = await run("--apply");
      assert.doesNotMatch(stdout, /not done/);
    }
    await eventually("pools to be written again", () => refused().then(() => true));
    const kept = await c.controlPlane.kubectl([
      "get",
      "crd",
      "ipaddresspools.metallb.io",
      "-o",
      "yaml",
    ]);
    assert.match(kept, /helm\.sh\/resource-policy: keep/);
  });

  test("a daemon in shadow mode says what it would do otherwise, and does nothing", async () => {
    const c = cluster();
    const ranking = new Ranking((text) => createHash("sha256").update(text).digest("hex"));
    const free = [53, 54, 55, 56].map((last) => ip(`192.168.100.${last}`));
    const address = free.find((one) => ranking.order(NODES, one)[0] === "node2") ?? "";
    await c.daemon("node2").kill("SIGTERM");
    const shadow = await c.start(c.node("node2"), { config: { mode: "shadow" } });
    await c.createService("shadowed", { loadBalancerIP: address });
    await eventually("node1 to answer", () => c.answering(address), {
      timeoutMs: 20_000,
      until: (node) => node === "node1",
    });
    const difference = /node1 answers; lbd would choose node2/;
    const plan = await eventually(
      "the difference",
      () => shadow.lbctl(["plan", "shadow"], 30_000),
      {
        timeoutMs: 60_000,
        until: ({ stdout }) => difference.test(stdout),
      },
    );
    assert.equal(plan.code, 1);
    await c.untilStatus(shadow, /Shadow mode: nothing is answered, announced or written/, 30_000);
    const holder = ["get", "lease", "lbd-node-node2", "-n", "lbd-system", "-o"];
    assert.equal(await c.controlPlane.kubectl([...holder, "jsonpath={.spec.holderIdentity}"]), "");
    const { body } = await shadow.get("/v1/status");
    const { counters } = (JSON.parse(body) as { item: { counters: Record<string, number> } }).item;
    const said = ["beacon-sent", "arp-announced", "arp-answered"].map((name) => counters[name]);
    assert.deepEqual(said, [0, 0, 0]);
    await c.daemon("node1").kill("SIGKILL");
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    assert.equal(await c.answering(address), null, "nobody is there to answer");
  });
});

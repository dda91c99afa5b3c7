// lbctl doctor and lbctl bugreport against real daemons, kernels and an API server: each thing is
// broken for real, found, and mended.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { gunzipSync } from "node:zlib";
import type { FramesView } from "../../src/api/frames-view.ts";
import type { DoctorReport } from "../../src/doctor/doctor.ts";
import { eventually } from "../lab/eventually.ts";
import { clusterForSuite, type DaemonCluster } from "./support/daemon-cluster.ts";
import { untilMembers } from "./support/ownership-watch.ts";

const LBCTL_TIMEOUT_MS = 60_000;

type Found = DoctorReport["findings"][number];

async function doctor(c: DaemonCluster, node = "node1"): Promise<DoctorReport> {
  const daemon = c.daemon(node);
  const argv = ["doctor", "--config", daemon.configFile, "-o", "json"];
  const { stdout, stderr } = await daemon.lbctl(argv, LBCTL_TIMEOUT_MS);
  assert.notEqual(stdout, "", stderr);
  return (JSON.parse(stdout) as { item: DoctorReport }).item;
}

async function found(c: DaemonCluster, check: string): Promise<readonly Found[]> {
  const { findings, checks } = await doctor(c);
  const state = checks.find((one) => one.check === check)?.state;
  assert.notEqual(state, "skipped", `${check} was looked at`);
  return findings.filter((one) => one.check === check);
}

/** Spoilt, the check finds it; mended, it finds nothing. */
async function expectFound(
  c: DaemonCluster,
  check: string,
  act: { readonly spoil: () => Promise<unknown>; readonly mend: () => Promise<unknown> },
): Promise<Found> {
  assert.deepEqual(await found(c, check), [], "as it should be before");
  await act.spoil();
  let all: readonly Found[];
  try {
    all = await found(c, check);
  } finally {
    await act.mend();
  }
  assert.equal(all.length, 1, JSON.stringify(all));
  assert.deepEqual(await found(c, check), [], "as it should be after");
  const [only] = all;
  assert.ok(only !== undefined);
  return only;
}

function nft(c: DaemonCluster, text: string): Promise<unknown> {
  return c.node("node1").run(["nft", "-f", "-"], { input: text });
}

const DROP = `table inet guard {
  chain input {
    type filter hook input priority 0; policy drop;
    iifname { "lo", "mgmt0" } accept
  }
}`;
const NO_GUARD = "delete table inet guard";

describe("doctor", () => {
  const cluster = clusterForSuite({ nodes: 2 });

  test("a healthy node: nothing is found but what the lab has not", async () => {
    const c = cluster();
    await untilMembers(c, 2);
    // An API server that has just begun may ask to wait, and the daemon tells that it does.
    await c.untilStatus(c.daemon("node1"), /health +ok/, 30_000);
    const { findings, checks } = await doctor(c);
    // There is no kube-proxy in this lab, and its host has no time server of its own.
    const others = findings.filter(({ check }) => !["kube-proxy", "clock"].includes(check));
    assert.deepEqual(others, []);
    const looked = checks.filter(({ state }) => state !== "skipped").map(({ check }) => check);
    for (const check of ["daemon", "permissions", "links", "arp", "rp_filter", "beacons"]) {
      assert.ok(looked.includes(check), check);
    }
  });

  test("a dead kube-proxy is found", async () => {
    const [only] = await found(cluster(), "kube-proxy");
    assert.match(only?.cause ?? "", /nobody answers on 127\.0\.0\.1:10256/);
  });

  test("a real ruleset that drops beacons is found, and one that lets them in is not", async () => {
    const c = cluster();
    const finding = await expectFound(c, "firewall", {
      spoil: () => nft(c, `${DROP}\n`),
      mend: () =>
        nft(c, 'insert rule inet guard input iifname "eth0" udp dport 7473 counter accept\n'),
    });
    assert.match(finding.what, /drops beacons that arrive on eth0: UDP port 7473/);
    assert.match(finding.cause, /the policy of chain inet guard input is "drop"/);
    assert.match(finding.fix, /^nft insert rule inet guard input iifname "eth0" udp dport 7473/);
    await nft(c, `${NO_GUARD}\n`);
  });

  test("what the finding says to run lets beacons in", async () => {
    const c = cluster();
    await nft(c, `${DROP}\n`);
    const [finding] = await found(c, "firewall");
    const [command = ""] = finding?.fix.split(";") ?? [];
    await c.node("node1").run(["sh", "-c", command]);
    assert.deepEqual(await found(c, "firewall"), []);
    await nft(c, `${NO_GUARD}\n`);
  });

  test("an address of a pool on this host is found", async () => {
    const c = cluster();
    const [node, what] = [c.node("node1"), ["address", "192.168.100.55/24", "dev", "eth0"]];
    const change = (verb: string) => node.run(["ip", what[0] ?? "", verb, ...what.slice(1)]);
    const finding = await expectFound(c, "addresses", {
      spoil: () => change("add"),
      mend: () => change("del"),
    });
    assert.equal(finding.fix.split(";")[0], "ip address del 192.168.100.55/24 dev eth0");
  });

  test("IPVS without strict ARP is found by the kernel's own settings", async () => {
    const c = cluster();
    const run = (...argv: string[]) => c.node("node1").run(argv);
    const set = (key: string, value: number) =>
      run("sysctl", "-w", `net.ipv4.conf.all.${key}=${value}`);
    const finding = await expectFound(c, "arp", {
      spoil: async () => {
        await run("ip", "link", "add", "kube-ipvs0", "type", "bridge");
        await run("ip", "address", "add", "192.168.100.50/32", "dev", "kube-ipvs0");
      },
      mend: async () => {
        await set("arp_ignore", 1);
        await set("arp_announce", 2);
      },
    });
    assert.match(finding.cause, /arp_ignore is 0 .* it has 192\.168\.100\.50 of the pools/);
    await run("ip", "link", "del", "kube-ipvs0");
    await set("arp_ignore", 0);
    await set("arp_announce", 0);
  });

  test("a strict rp_filter with the default route elsewhere is found", async () => {
    const c = cluster();
    const run = (...argv: string[]) => c.node("node1").run(argv);
    const before = await run("ip", "-4", "route", "show", "default");
    const finding = await expectFound(c, "rp_filter", {
      spoil: async () => {
        // The larger of the two counts, and hosts differ in what a namespace begins with.
        await run("sysctl", "-w", "net.ipv4.conf.all.rp_filter=0");
        await run("sysctl", "-w", "net.ipv4.conf.eth0.rp_filter=1");
        await run("ip", "-4", "route", "flush", "exact", "default");
        await run("ip", "route", "replace", "default", "dev", "mgmt0");
      },
      mend: () => run("sysctl", "-w", "net.ipv4.conf.eth0.rp_filter=2"),
    });
    assert.match(finding.cause, /strict \(1\) on eth0, and the default route leads through mgmt0/);
    await run("ip", "route", "del", "default");
    const back = before.trim().split("\n")[0] ?? "";
    if (back !== "") await run("ip", "route", "add", ...back.trim().split(" "));
  });

  test("a missing verb is found by the API server's own answer", async () => {
    const c = cluster();
    const patch = (operations: object) =>
      c.controlPlane.kubectl([
        ...["patch", "role", "lbd", "-n", "lbd-system", "--type=json"],
        ...["-p", JSON.stringify(operations)],
      ]);
    const verbs = ["get", "list", "watch", "create", "update", "delete"];
    const set = (value: readonly string[]) =>
      patch([{ op: "replace", path: "/rules/0/verbs", value }]);
    await set(verbs.slice(0, -1));
    const find = () => found(c, "permissions");
    const [only] = await eventually("the missing verb", find, {
      timeoutMs: 30_000,
      until: (all) => all.length === 1,
    });
    await set(verbs);
    assert.equal(only?.cause, "they may not delete leases.coordination.k8s.io in lbd-system");
    await eventually("no missing verb", find, { timeoutMs: 30_000, until: (all) => !all.length });
  });

  test("kubeadm's label on all nodes is found", async () => {
    const c = cluster();
    const label = "node.kubernetes.io/exclude-from-external-load-balancers";
    const finding = await expectFound(c, "exclude label", {
      spoil: () => c.controlPlane.kubectl(["label", "nodes", "--all", `${label}=`]),
      mend: () => c.controlPlane.kubectl(["label", "nodes", "--all", `${label}-`]),
    });
    assert.match(finding.fix, /^kubectl label nodes node1 node2 .*exclude-from/);
  });

  test("bugreport has the daemon's answers, what it saw and decided, and no secret", async () => {
    const c = cluster();
    await c.createService("web");
    const address = await c.addressOf("web");
    const owner = await c.untilAnswering(address);
    const daemon = c.daemon(owner);
    const file = join(daemon.node.folder, "report.tar.gz");
    const argv = ["bugreport", "--config", daemon.configFile, "--file", file];
    const { code, stderr } = await daemon.lbctl(argv, LBCTL_TIMEOUT_MS);
    assert.equal(code, 0, stderr);
    const folder = daemon.node.folder;
    execFileSync("tar", ["-xzf", file, "--strip-components=1", "-C", folder]);
    const read = (name: string) => readFileSync(join(folder, name), "utf8");
    const names = ["status", "vips", "services", "pools", "nodes", "history", "frames"];
    for (const name of names) assert.ok(read(`api/${name}.json`).includes("lbd/v1"), name);
    assert.ok(read("api/vips.json").includes(address));
    assert.match(read("metrics.txt"), /^lbd_/m);
    const { frames, decisions } = (JSON.parse(read("api/frames.json")) as { item: FramesView })
      .item;
    const answered = frames.filter(({ outcome }) => outcome === "answered");
    assert.ok(answered.some(({ text }) => text.startsWith(`who has ${address}`)));
    assert.ok(decisions.some(({ text }) => text.startsWith(`grant ${address} at epoch `)));
    const everything = gunzipSync(readFileSync(file)).toString("latin1");
    const kubeconfig = readFileSync(c.kubeconfig, "utf8");
    const secrets = [...kubeconfig.matchAll(/(?:token|client-key-data): "?([^"\s]+)/g)];
    assert.ok(secrets.length > 0);
    for (const [, secret = ""] of secrets) assert.ok(!everything.includes(secret));
    const key = await c.controlPlane.get<{ data: Record<string, string> }>(
      "secret",
      "lbd-beacon-key",
      "-n",
      "lbd-system",
    );
    for (const value of Object.values(key.data)) {
      assert.ok(!everything.includes(value));
      assert.ok(!everything.includes(Buffer.from(value, "base64").toString("hex")));
    }
  });

  test("a link without carrier is found", async () => {
    const c = cluster();
    const node = c.node("node1");
    const finding = await expectFound(c, "links", {
      spoil: () => node.dataLink.down(),
      mend: () => node.dataLink.up(),
    });
    assert.match(finding.what, /Nothing is answered for on eth0/);
    assert.match(finding.cause, /no carrier|is down/);
    await untilMembers(c, 2);
  });
});

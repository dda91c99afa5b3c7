// The package on hosts with a real systemd, in a cluster with the real control plane, and with a
// client: from apt install to the answer for an address, through upgrades, a downgrade and a crash,
// to a host that is switched off.

import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { copyFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { after, afterEach, describe, test } from "node:test";
import type { HistoryView, VipView } from "../../src/api/types.ts";
import { MIGRATIONS } from "../../src/store/migrations.ts";
import { ADVERTISEMENT, DaemonCluster, POOL } from "../cluster/support/daemon-cluster.ts";
import { deployBackends } from "../lab/backends.ts";
import { ControlPlane } from "../lab/control-plane.ts";
import { carriesOn } from "../lab/echo-stream.ts";
import { eventually } from "../lab/eventually.ts";
import { labForSuite } from "../lab/for-test.ts";
import { startKubeProxies } from "../lab/kube-proxy.ts";
import { DebianHost, UNIT } from "./support/hosts.ts";
import { builtPackage, field, repacked } from "./support/package.ts";

const ADDRESS = "192.168.100.50";
const TO = { address: ADDRESS, port: 80 };
const NODE_FILE = "/etc/lbd/config.yaml";
const ADMIN_CONF = "/etc/kubernetes/admin.conf";
/** Longer than peers leave its addresses to a daemon that restarts. */
const ANSWER_MS_MAX = 20_000;
const OFF_MS_MAX = 30_000;
const NEXT_VERSION = "99.0.0";
/** What the next version's node file has that this one's has not. */
const NEXT_COMMENT = "# A comment of the next version.\n";

/** A later lbd, as this one cannot know it: another node file, and one schema further. */
function intoNextVersion(tree: string): void {
  const file = join(tree, NODE_FILE);
  writeFileSync(file, readFileSync(file, "utf8") + NEXT_COMMENT);
  const library = join(tree, "usr/lib/lbd");
  const programs = readdirSync(library).filter((name) => /\.m?js$/.test(name));
  const isLater = programs.filter((name) => {
    const text = readFileSync(join(library, name), "utf8");
    const step = "`CREATE TABLE later (what TEXT NOT NULL PRIMARY KEY) WITHOUT ROWID;`";
    const later = text.replace(/(CREATE TABLE freed \([^`]*`)/, `$1, ${step}`);
    writeFileSync(join(library, name), later);
    return later !== text;
  });
  assert.equal(isLater.length, 1, "the daemon has the schema");
}

describe("hosts with the package", async () => {
  const deb = await builtPackage();
  const packages = mkdtempSync(join(tmpdir(), "lbd-deb-hosts-"));
  const thisVersion = join(packages, basename(deb));
  let nextVersion = "";
  let c: DaemonCluster;
  let hosts: DebianHost[] = [];
  const host = (name: string): DebianHost => {
    const found = hosts.find(({ node }) => node.name === name);
    assert.ok(found, name);
    return found;
  };
  const other = (name: string): DebianHost => host(name === "node1" ? "node2" : "node1");
  const answering = (accepts = (_: string) => true) =>
    c.untilAnswering(ADDRESS, { accepts, timeoutMs: ANSWER_MS_MAX });
  const vipOn = async (name: string): Promise<VipView | undefined> => {
    const { stdout } = await host(name).lbctl("vips", "-o", "json");
    const { items } = JSON.parse(stdout) as { items: VipView[] };
    return items.find(({ address }) => address === ADDRESS);
  };
  const owning = (name: string) =>
    eventually(`${name} to own it`, () => vipOn(name), {
      timeoutMs: 15_000,
      until: (vip) => vip?.here === "owning",
    });
  const userVersion = async (name: string): Promise<number> => {
    const bytes = ["od", "-An", "-tu1", "-j60", "-N4", "/var/lib/lbd/state.db"];
    return Number((await host(name).container.run(bytes)).trim().split(/\s+/).at(-1));
  };

  // Before the lab, whose hooks come after these.
  afterEach((t) => {
    if (!t.passed) for (const { container } of hosts) container.markFailed(t.name);
  });
  after(() => {
    for (const { container } of hosts) container.dispose();
    rmSync(packages, { recursive: true, force: true });
  });
  labForSuite({ nodes: 2 }, async (lab) => {
    await copyFile(deb, thisVersion);
    nextVersion = repacked(deb, NEXT_VERSION, { folder: packages, edit: intoNextVersion });
    const controlPlane = await ControlPlane.start(lab);
    await controlPlane.registerNodes();
    c = new DaemonCluster(lab, controlPlane, "");
    hosts = await Promise.all(lab.nodes.map((node) => DebianHost.boot(node, packages)));
    const admin = readFileSync(controlPlane.adminKubeconfig, "utf8");
    for (const { container } of hosts) await container.write(ADMIN_CONF, admin, { mode: "600" });
  });

  test("apt installs it where no archive can be reached", async () => {
    for (const one of hosts) {
      await one.install(thisVersion);
      assert.equal(await one.version(), field(deb, "Version"));
      assert.equal(await one.property("ActiveState"), "active");
    }
  });

  test("systemctl status says which command it waits for", async () => {
    for (const one of hosts) {
      const status = async () => (await one.systemctl("status")).stdout;
      await eventually("the words", status, {
        timeoutMs: 15_000,
        until: (text) => /Status: ".*lbctl bootstrap --kubeconfig/.test(text),
      });
    }
  });

  test("bootstrap and join make the hosts serve a Service", async () => {
    const [first, ...rest] = hosts;
    const made = await first?.lbctl("bootstrap", "--kubeconfig", ADMIN_CONF);
    assert.equal(made?.code, 0, `${made?.stdout}${made?.stderr}`);
    for (const one of rest) {
      const joined = await one.lbctl("join", "--kubeconfig", ADMIN_CONF);
      assert.equal(joined.code, 0, joined.stdout + joined.stderr);
    }
    for (const { container } of hosts) {
      const files = ["/etc/lbd/kubeconfig", "/var/lib/lbd/token"];
      const stat = await container.run(["stat", "--format=%U %a", ...files]);
      assert.equal(stat, "lbd 600\nlbd 600\n");
    }
    await startKubeProxies(c.controlPlane);
    await c.controlPlane.apply(POOL);
    await c.controlPlane.apply(ADVERTISEMENT);
    await c.createService("web", { ports: [{ port: TO.port, targetPort: 8080 }] });
    const pods = c.lab.nodes.map((node) => ({ name: `web-${node.name}`, node }));
    await deployBackends(c.controlPlane, { service: "web", port: 8080, pods });
    assert.equal(await c.addressOf("web"), ADDRESS);
    await answering();
    const ask = () => c.lab.client.curl(`http://${ADDRESS}/`, { timeoutMs: 500 });
    await eventually("HTTP", ask, { until: ({ status }) => status === 200 });
    for (const one of hosts) await one.untilStatus(/health +ok/);
  });

  test("lbctl ui of the package serves the page, and what it asks for", async () => {
    const [one] = hosts;
    // The container has no curl: Node.js is in the package.
    const script = `
      const { spawn } = require("node:child_process");
      const ui = spawn("lbctl", ["ui", "--port", "0"]);
      ui.stdout.once("data", async (chunk) => {
        const url = new URL(String(chunk).trim());
        const signedIn = await fetch(url, { redirect: "manual" });
        const headers = { cookie: signedIn.headers.get("set-cookie").split(";")[0] };
        for (const path of ["/", "/page.js", "/model.js", "/v1/status"]) {
          const answer = await fetch(new URL(path, url.origin), { headers });
          console.log(path, answer.status, (await answer.text()).length > 300);
        }
        ui.kill();
      });`;
    const argv = ["/usr/lib/lbd/node", "-e", script];
    const { stdout, stderr } = (await one?.container.tryRun(argv)) ?? assert.fail("no host");
    const expected = ["/", "/page.js", "/model.js", "/v1/status"].map((path) => `${path} 200 true`);
    assert.deepEqual(stdout.trim().split(/\r?\n/), expected, stderr);
  });

  test("an upgrade of the owner breaks no connection and moves no address", async () => {
    const owner = await answering();
    const [one, before] = [host(owner), await vipOn(owner)];
    await one.container.write(NODE_FILE, "logLevel: debug\n");
    const pid = await one.property("MainPID");
    await carriesOn(c.lab, TO, async () => {
      await one.install(nextVersion);
      await one.untilReplaced(pid);
      await owning(owner);
    });
    assert.equal(await one.version(), NEXT_VERSION);
    assert.deepEqual(await c.lab.client.whoAnswers(ADDRESS), [c.node(owner).mac()]);
    const now = await vipOn(owner);
    assert.deepEqual([now?.owner, now?.epoch], [owner, before?.epoch]);
  });

  test("it keeps the node file that was changed here, and lays its own beside it", async () => {
    const { container } = host(await answering());
    assert.equal(await container.run(["cat", NODE_FILE]), "logLevel: debug\n");
    assert.ok((await container.run(["cat", `${NODE_FILE}.dpkg-dist`])).endsWith(NEXT_COMMENT));
  });

  test("it brings the state file of the version before up to date, history and all", async () => {
    const owner = await answering();
    assert.equal(await userVersion(owner), MIGRATIONS.length + 1);
    const { stdout } = await host(owner).lbctl("history", ADDRESS, "-o", "json");
    const { items } = JSON.parse(stdout) as { items: HistoryView[] };
    const causes = items.map(({ change, cause }) => `${change} ${cause}`);
    assert.deepEqual([causes[0], causes.length > 1], ["gained resumed", true], String(causes));
  });

  test("two versions work as one cluster", async () => {
    for (const one of hosts) await one.untilStatus(/health +ok/);
    assert.notEqual(await host("node1").version(), await host("node2").version());
    const owner = await answering();
    const drained = await host(owner).lbctl("drain");
    assert.equal(drained.code, 0, drained.stdout);
    const next = await answering((name) => name !== owner);
    assert.equal((await host(owner).lbctl("undrain")).code, 0);
    assert.equal((await host(next).lbctl("drain")).code, 0);
    assert.equal(await answering((name) => name !== next), owner);
    assert.equal((await host(next).lbctl("undrain")).code, 0);
  });

  test("a downgrade that cannot read the state leaves the newer daemon at work", async () => {
    const owner = await answering();
    const one = host(owner);
    const pid = await one.property("MainPID");
    const { stdout } = await one.install(thisVersion);
    const [later, known] = [MIGRATIONS.length + 1, MIGRATIONS.length];
    assert.match(
      stdout,
      /^Cannot restart lbd: the version that was installed could not start:\r?$/m,
    );
    assert.match(stdout, new RegExp(`newer lbd \\(schema ${later}, this one knows ${known}\\)`));
    assert.deepEqual([await one.property("MainPID"), await answering()], [pid, owner]);
  });

  test("the older version, started by force, says why it cannot and keeps the state", async () => {
    const owner = await answering();
    const one = host(owner);
    await one.systemctl("restart");
    await eventually("the journal to say why", () => one.journal(), {
      until: (text) => /it was written by a newer lbd .* install that version again/.test(text),
    });
    const next = await answering((name) => name !== owner);
    assert.equal(await userVersion(owner), MIGRATIONS.length + 1);
    // systemd tries it again and again: nobody has to start what can start now.
    await one.install(nextVersion);
    await one.untilStatus(/health +ok/);
    assert.equal(await answering(), next);
  });

  test("a daemon that is killed is started again by systemd, and one host answers", async () => {
    const owner = await answering();
    const pid = await host(owner).property("MainPID");
    await host(owner).container.run(["systemctl", "kill", "--signal=KILL", UNIT]);
    await host(owner).untilReplaced(pid);
    for (const one of hosts) await one.untilStatus(/health +ok/);
    await answering();
    assert.equal((await c.lab.client.whoAnswers(ADDRESS)).length, 1);
  });

  test("apt remove hands the addresses over, and what comes back needs no bootstrap", async () => {
    const owner = await answering();
    const one = host(owner);
    await one.apt("remove", "lbd");
    await answering((name) => name !== owner);
    assert.equal((await one.container.tryRun(["lbctl", "status"])).code, 127);
    await one.install(nextVersion);
    await one.untilStatus(/health +ok/);
  });

  test("a host that is switched off hands its addresses over while it has a network", async () => {
    const owner = await answering();
    const next = other(owner);
    await host(owner).container.tryRun(["systemctl", "--no-block", "poweroff"]);
    await host(owner).container.waitForEnd(OFF_MS_MAX);
    assert.equal(await answering((name) => name !== owner), next.node.name);
    const { stdout } = await next.lbctl("history", ADDRESS, "-o", "json");
    const { items } = JSON.parse(stdout) as { items: HistoryView[] };
    const gained = items.find(({ change, node }) => change === "gained" && node === next.node.name);
    assert.equal(gained?.cause, "handed-over");
  });
});

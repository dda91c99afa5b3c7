// The package under dpkg and a real systemd, on a Debian that reaches neither a network nor an API:
// what installing, upgrading, removing and purging do to the daemon and to what it left.

import assert from "node:assert/strict";
import { basename, dirname, join } from "node:path";
import { describe, test } from "node:test";
import type { CommandResult } from "../lab/command.ts";
import type { Container } from "../lab/container.ts";
import { eventually } from "../lab/eventually.ts";
import { containerForSuite } from "../lab/for-test.ts";
import { builtPackage } from "./support/package.ts";

const UNIT = "lbd.service";
const NODE_FILE = "/etc/lbd/config.yaml";
const PLACE = "/packages";
/** What a really older lbd left behind (test/unit/store/older-state.test.ts). */
const OLDER = "/older";
/** Of the slowest of machines, with a package of Node's size. */
const DPKG_MS_MAX = 120_000;
/** For an API server that is not there. */
const KUBECONFIG = `apiVersion: v1
kind: Config
current-context: lab
contexts: [{name: lab, context: {cluster: lab, user: lab}}]
clusters: [{name: lab, cluster: {server: "https://172.30.0.1:6443"}}]
users: [{name: lab, user: {token: none}}]
`;

describe("the package under dpkg", async () => {
  let container: Container;
  const deb = await builtPackage();
  const property = (name: string) => container.property(UNIT, name);
  const succeeds = async (argv: readonly string[]) => (await container.tryRun(argv)).code === 0;
  const exists = (path: string) => succeeds(["test", "-e", path]);
  const dpkg = async (...args: string[]): Promise<CommandResult> => {
    const argv = ["env", "DEBIAN_FRONTEND=noninteractive", "dpkg", ...args];
    const done = await container.tryRun(argv, { timeoutMs: DPKG_MS_MAX });
    assert.equal(done.code, 0, done.stdout + done.stderr);
    return done;
  };
  // For dpkg a package over itself is an upgrade.
  const install = () => dpkg("--install", join(PLACE, basename(deb)));
  const runs = () =>
    eventually("the daemon to run", () => property("ActiveState"), {
      until: (state) => state === "active",
    });

  const binds = { [PLACE]: dirname(deb), [OLDER]: join(import.meta.dirname, "../support/older") };
  containerForSuite({ binds }, async (made) => {
    container = made;
    await container.write("/etc/lbd/kubeconfig", KUBECONFIG);
    await install();
    await runs();
  });

  test("installing starts the daemon, for this boot and the next", async () => {
    assert.ok(await succeeds(["systemctl", "is-enabled", UNIT]));
    assert.match(await container.run(["lbctl", "status"]).catch(String), /API/);
    assert.match(await container.run(["getent", "group", "lbd"]), /^lbd:/);
    assert.match(await container.run(["getent", "passwd", "lbd"]), /nologin$/m);
    const socket = await container.run(["stat", "--format=%G %a", "/run/lbd/lbd.sock"]);
    assert.match(socket, /^lbd 660$/m);
  });

  test("an upgrade restarts the daemon, which asks its peers to leave it what it has", async () => {
    const pid = await property("MainPID");
    await install();
    await runs();
    assert.notEqual(await property("MainPID"), pid);
    const journal = ["journalctl", "--no-pager", "--output=cat", "--unit", UNIT];
    assert.match(await container.run(journal), /restarting: peers leave the VIPs here/);
  });

  test("an upgrade that refuses the node file leaves the old daemon at work", async () => {
    const pid = await property("MainPID");
    const before = await container.run(["cat", NODE_FILE]);
    await container.write(NODE_FILE, `${before}colour: blue\n`);
    const { stderr } = await install();
    assert.match(stderr, /^Cannot restart lbd: the version that was installed could not start:$/m);
    assert.match(stderr, /colour: found an unknown key/);
    assert.match(stderr, /^The version from before goes on serving\./m);
    assert.deepEqual([await property("MainPID"), await property("ActiveState")], [pid, "active"]);
    // Mended, and changed: an upgrade keeps the administrator's file.
    await container.write(NODE_FILE, `${before}logLevel: debug\n`);
    await install();
    await runs();
    assert.notEqual(await property("MainPID"), pid);
    assert.match(await container.run(["cat", NODE_FILE]), /^logLevel: debug$/m);
  });

  test("an upgrade does not start a daemon that was stopped", async () => {
    await container.run(["systemctl", "stop", UNIT]);
    await install();
    assert.equal(await property("ActiveState"), "inactive");
    await container.run(["systemctl", "start", UNIT]);
  });

  test("a user who is not in the group is told so, and one who is may ask", async () => {
    const asJoe = () => container.tryRun(["runuser", "-u", "joe", "--", "lbctl", "status"]);
    await container.run(["useradd", "joe"]);
    const refused = await asJoe();
    assert.match(refused.stderr, /run as root, or as a member of the group lbd/);
    assert.notEqual(refused.code, 0);
    await container.run(["usermod", "--append", "--groups", "lbd", "joe"]);
    assert.match((await asJoe()).stdout, /^node +/m);
  });

  test("a state file that the daemon may not read stops nothing, and is left alone", async () => {
    const file = "/var/lib/lbd/state.db";
    await container.run(["systemctl", "stop", UNIT]);
    await container.run(["chown", "root:root", file]);
    const sum = await container.run(["sha256sum", file]);
    await container.run(["systemctl", "start", UNIT]);
    const { stdout } = await container.tryRun(["lbctl", "status"]);
    assert.match(stdout.replaceAll(/\s+/g, " "), /state file "\S+" cannot be used \(.*in memory/);
    await container.run(["systemctl", "stop", UNIT]);
    assert.equal(await container.run(["sha256sum", file]), sum);
    await container.run(["chown", "lbd:lbd", file]);
    await container.run(["systemctl", "start", UNIT]);
    const mended = await container.tryRun(["lbctl", "status"]);
    assert.doesNotMatch(mended.stdout, /cannot be used/);
  });

  test("the state of a really older lbd is gone on with", async () => {
    const state = "/var/lib/lbd/state.db";
    const put = ["install", "-o", "lbd", "-g", "lbd", "-m", "600"];
    await container.run(["systemctl", "stop", UNIT]);
    await container.run(["sh", "-c", `rm -f ${state}*`]);
    await container.run([...put, `${OLDER}/state-schema-2.db`, state]);
    await container.run(["systemctl", "start", UNIT]);
    const { stdout } = await container.tryRun(["lbctl", "history", "192.168.100.52"]);
    assert.match(stdout, /lost +node1 +1 +address-freed/);
    assert.match(await container.run(["lbd", "--check"]), /is valid/);
  });

  test("removing stops the daemon and keeps what it knows and is told", async () => {
    await dpkg("--remove", "lbd");
    assert.ok(!(await succeeds(["systemctl", "is-active", UNIT])));
    assert.ok(!(await exists("/usr/lib/lbd")));
    for (const path of [NODE_FILE, "/etc/lbd/kubeconfig", "/var/lib/lbd/state.db"]) {
      assert.ok(await exists(path), path);
    }
  });

  test("purging leaves nothing but the user", async () => {
    await dpkg("--purge", "lbd");
    const find = "find / -xdev -not -path '/proc/*' -name '*lbd*' -not -path '/var/log/*'";
    const left = (await container.run(["sh", "-c", find])).split("\n").filter(Boolean);
    assert.deepEqual(left, []);
    assert.match(await container.run(["getent", "passwd", "lbd"]), /^lbd:/);
    assert.ok(!(await exists("/etc/systemd/system/multi-user.target.wants/lbd.service")));
  });

  test("installing where no systemd runs makes it start with the next boot", async () => {
    // The same files, without /run: that is what an installer or a builder of images has.
    const script = `mkdir /mnt/root
      mount --bind / /mnt/root
      mount -t proc proc /mnt/root/proc
      mount --bind ${PLACE} /mnt/root/mnt
      chroot /mnt/root dpkg --install /mnt/${basename(deb)}`;
    const options = { timeoutMs: DPKG_MS_MAX };
    const done = await container.tryRun(["unshare", "--mount", "sh", "-e", "-c", script], options);
    assert.equal(done.code, 0, done.stdout + done.stderr);
    assert.doesNotMatch(done.stderr, /rror|annot|ailed/);
    assert.ok(await succeeds(["systemctl", "is-enabled", UNIT]));
    assert.ok(!(await succeeds(["systemctl", "is-active", UNIT])));
    await container.run(["systemctl", "daemon-reload"]);
    await container.run(["systemctl", "start", "multi-user.target", UNIT]);
    await runs();
  });
});

// systemd/lbd.service as it is, under a real systemd, on a host that reaches no API.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Container } from "../lab/container.ts";
import { eventually } from "../lab/eventually.ts";
import { containerForSuite } from "../lab/for-test.ts";
import { CHECKOUT_BINDS, installLbd } from "./support/checkout.ts";

const UNIT = "lbd.service";
/** WatchdogSec of the unit; and what it may take from its end to the next start. */
const WATCHDOG_MS = 15_000;
const STOP_MS_MAX = 20_000;
/** The words change every 2 s. */
const STATUS_MS_MAX = 15_000;
const EXPOSURE_MAX = 2.5;
const ANSWERING_THREAD = "WorkerThread";
/** Fields of /proc/.../stat: priority and policy. */
const REALTIME_FIFO = "10 1";

describe(UNIT, () => {
  let container: Container;
  const property = (name: string) => container.property(UNIT, name);
  const state = async () => `${await property("ActiveState")} ${await property("NRestarts")}`;
  const microseconds = async (name: string) => Number(await property(name));
  const systemctl = (verb: string) => container.run(["systemctl", verb, UNIT]);
  const journal = () => container.run(["journalctl", "--no-pager", "-o", "cat", "-u", UNIT]);

  containerForSuite({ binds: CHECKOUT_BINDS }, async (made) => {
    container = made;
    await installLbd(container);
    await systemctl("start");
  });

  test("is up without an API, and its status says that there is none", async () => {
    assert.equal(await property("ActiveState"), "active");
    const words = /Status: "degraded: 0 of 0 addresses answered here, the API cannot be reached"/;
    await eventually("the words in systemctl status", () => systemctl("status"), {
      until: (printed) => words.test(printed),
      timeoutMs: STATUS_MS_MAX,
    });
  });

  test("runs as its own user, which may do two things beyond others, and no more", async () => {
    const pid = await property("MainPID");
    const status = await container.run(["cat", `/proc/${pid}/status`]);
    const owner = await container.run(["stat", "--format=%U:%G", `/proc/${pid}`]);
    assert.equal(owner.trim(), "lbd:lbd");
    // CAP_NET_RAW is bit 13, CAP_SYS_NICE bit 23.
    for (const set of ["CapBnd", "CapEff", "CapAmb"]) {
      assert.match(status, new RegExp(`^${set}:\\t0000000000802000$`, "m"));
    }
    const socket = await container.run(["stat", "--format=%U:%G %a", "/run/lbd/lbd.sock"]);
    assert.equal(socket.trim(), "lbd:lbd 660");
  });

  test("is at most 2.5 in what systemd-analyze finds open", async () => {
    const said = await container.run(["systemd-analyze", "security", "--no-pager", UNIT]);
    const level = Number(/Overall exposure level for lbd\.service: ([\d.]+)/.exec(said)?.[1]);
    assert.ok(level > 0 && level <= EXPOSURE_MAX, `${level}`);
  });

  test("lets the answering thread have its priority, in its sandbox", async () => {
    const script = `cd /proc/${await property("MainPID")}/task
      for task in *; do
        [ "$(cat $task/comm)" != ${ANSWERING_THREAD} ] || cut -d" " -f 40,41 $task/stat
      done`;
    assert.equal((await container.run(["sh", "-c", script])).trim(), REALTIME_FIFO);
  });

  test("feeds its watchdog: it outlives WatchdogSec", async () => {
    const pid = await property("MainPID");
    assert.equal(await property("WatchdogUSec"), `${WATCHDOG_MS / 1_000}s`);
    const startedAt = await microseconds("ExecMainStartTimestampMonotonic");
    const fedFor = async () => (await microseconds("WatchdogTimestampMonotonic")) - startedAt;
    await eventually("the watchdog to be fed later than that", fedFor, {
      until: (passed) => passed > WATCHDOG_MS * 1_000,
      timeoutMs: 2 * WATCHDOG_MS,
      intervalMs: 500,
    });
    const now = [await property("MainPID"), await property("NRestarts")];
    assert.deepEqual(now, [pid, "0"]);
  });

  test("is another process after a restart, which it has told its peers of", async () => {
    const pid = await property("MainPID");
    await systemctl("restart");
    assert.match(await journal(), /restarting: peers leave the VIPs here/);
    assert.equal(await property("ActiveState"), "active");
    assert.notEqual(await property("MainPID"), pid);
    await container.run(["test", "-s", "/var/lib/lbd/state.db"]);
  });

  test("takes up the node file on a reload, and is not touched by one that is wrong", async () => {
    const pid = await property("MainPID");
    const file = "/etc/lbd/config.yaml";
    const before = await container.run(["cat", file]);
    await container.write(file, "logLevel: loud\n");
    assert.notEqual((await container.tryRun(["systemctl", "reload", UNIT])).code, 0);
    assert.match(await journal(), /logLevel/);
    assert.equal(await property("MainPID"), pid);
    await container.write(file, `${before}\nlogLevel: warn\n`);
    await systemctl("reload");
    await eventually("another process", () => property("MainPID"), {
      until: (now) => now !== pid && now !== "0",
      timeoutMs: STOP_MS_MAX,
    });
    await eventually("it to be up", () => property("ActiveState"), {
      until: (now) => now === "active",
      timeoutMs: STOP_MS_MAX,
    });
    const { length } = (await journal()).match(/restarting: peers leave the VIPs here/g) ?? [];
    assert.equal(length, 2, "of the restart before, and of this");
    await container.write(file, before);
    await systemctl("restart");
  });

  for (const [signal, what] of [
    ["KILL", "killed"],
    ["STOP", "frozen, by its watchdog"],
  ] as const) {
    test(`is started again when it is ${what}`, async () => {
      const count = Number(await property("NRestarts"));
      await container.run(["systemctl", "kill", `--signal=${signal}`, UNIT]);
      await eventually("it to be up again", state, {
        until: (now) => now === `active ${count + 1}`,
        timeoutMs: WATCHDOG_MS + STOP_MS_MAX,
        intervalMs: 200,
      });
    });
  }

  test("leaves nothing but its state after a stop", async () => {
    assert.doesNotMatch(await journal(), /stopping: releasing the VIPs/);
    await systemctl("stop");
    assert.match(await journal(), /stopping: releasing the VIPs/);
    assert.equal(await property("ActiveState"), "inactive");
    assert.equal(await property("Result"), "success");
    assert.equal((await container.tryRun(["test", "-e", "/run/lbd"])).code, 1);
    // One that ends while it is read is no failure.
    const { stdout } = await container.tryRun(["sh", "-c", "cat /proc/[0-9]*/comm"]);
    assert.match(stdout, /^systemd$/m);
    assert.doesNotMatch(stdout, /node|lbd/i);
  });
});

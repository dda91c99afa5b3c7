// The containers of the lab themselves: they neither see nor change each other, and nothing of them
// is left, however they end.

import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { cgroupFolders, processesInCgroup } from "../lab/cgroup.ts";
import { sweepDeadLabs } from "../lab/cleanup.ts";
import { Container } from "../lab/container.ts";
import { containerForTest } from "../lab/for-test.ts";
import { STATE_FOLDER } from "../lab/ledger.ts";
import { childProcess, lineOf } from "../support/child-process.ts";
import { tempDir } from "../support/temp-dir.ts";

/** What a container of that id has on this machine. */
function tracesOf(id: string): readonly string[] {
  const places = [
    ...cgroupFolders(`lbd-${id}`),
    join(STATE_FOLDER, `${id}.json`),
    join(tmpdir(), `lbd-lab-${id}`),
    `/run/systemd/nspawn/propagate/lbd-${id}`,
  ];
  const mounts = readFileSync("/proc/self/mounts", "utf8").split("\n");
  return [...places.filter(existsSync), ...mounts.filter((line) => line.includes(id))];
}

function processesOf(id: string): readonly number[] {
  return cgroupFolders(`lbd-${id}`).flatMap(processesInCgroup);
}

test("containers side by side share the image, and nothing that they write", async (t) => {
  const [one, two] = [await containerForTest(t), await containerForTest(t)];
  await one.write("/etc/mark", "one\n");
  await one.run(["systemctl", "stop", "systemd-journald.socket", "systemd-journald.service"]);
  assert.equal((await two.tryRun(["test", "-e", "/etc/mark"])).code, 1);
  assert.equal(await two.property("systemd-journald.service", "ActiveState"), "active");
  const three = await containerForTest(t);
  assert.equal((await three.tryRun(["test", "-e", "/etc/mark"])).code, 1);
});

test("a container that is disposed of leaves nothing", async () => {
  const container = await Container.boot();
  assert.ok(processesOf(container.id).length > 2);
  container.dispose();
  assert.deepEqual([tracesOf(container.id), processesOf(container.id)], [[], []]);
  await assert.rejects(async () => container.run(["true"]), /Cannot run 'true': no container/);
});

test("a container whose maker was killed is removed by a sweep", async (t) => {
  const owner = childProcess(t, "test/systemd/support/container-owner.ts", []);
  const id = await lineOf(owner);
  const ended = new Promise((resolve) => owner.on("exit", resolve));
  owner.kill("SIGKILL");
  await ended;
  assert.notDeepEqual(tracesOf(id), []);
  assert.ok(sweepDeadLabs().includes(id));
  assert.deepEqual([tracesOf(id), processesOf(id)], [[], []]);
});

test("a container that failed leaves its journal where failures are kept", async (t) => {
  const keep = tempDir(t);
  const before = process.env.LBD_LAB_KEEP;
  process.env.LBD_LAB_KEEP = keep;
  try {
    const container = await Container.boot();
    container.markFailed("on purpose");
    container.dispose();
    const [folder = ""] = readdirSync(keep);
    assert.equal(folder, `on-purpose-${container.id}`);
    const journal = readFileSync(join(keep, folder, "journal.log"), "utf8");
    assert.match(journal, /systemd\[1\]: Startup finished/);
    assert.deepEqual(tracesOf(container.id), []);
  } finally {
    if (before === undefined) delete process.env.LBD_LAB_KEEP;
    else process.env.LBD_LAB_KEEP = before;
  }
});

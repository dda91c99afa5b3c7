// A disk that is read-only, or full from some moment on: said in the status, and traffic goes on.
// Its state lies on a small file system of its own, in a mount namespace that ends with the daemon.

import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import type { LabDaemon } from "../lab/daemon.ts";
import { clusterForSuite } from "./support/daemon-cluster.ts";

const ADDRESS = "192.168.100.50";

describe("a disk", () => {
  const cluster = clusterForSuite({ nodes: 1 });

  /** Starts the daemon anew with its state on a tmpfs of these mount options. */
  async function startOn(mountOptions: string): Promise<LabDaemon> {
    const c = cluster();
    const node = c.lab.node(1);
    await c.daemon("node1").kill("SIGTERM");
    const disk = join(node.folder, "disk");
    mkdirSync(disk, { recursive: true });
    const mount = `mount -t tmpfs -o ${mountOptions} tmpfs ${disk} && exec "$@"`;
    const through = ["unshare", "--mount", "sh", "-c", mount, "sh"];
    return c.start(node, { through, config: { stateFile: join(disk, "state.db") } });
  }

  test("that is read-only is told in the status, and a Service is served", async () => {
    const c = cluster();
    const daemon = await startOn("ro");
    await c.createService("web");
    await c.addressOf("web");
    assert.equal(await c.untilAnswering(ADDRESS), "node1");
    const status = await c.untilStatus(daemon, /health +degraded/);
    assert.match(status, /The state on disk is not as it should be; answering goes on/);
    assert.match(status, /kept in memory only and is lost at a restart: mend the disk/);
    await c.controlPlane.kubectl(["delete", "service", "web"]);
  });

  test("that gets full is told in the status, and what comes then is served", async () => {
    const c = cluster();
    const daemon = await startOn("size=1m");
    await c.untilStatus(daemon, /health +ok/);
    const inside = ["nsenter", "--mount", "--target", String(daemon.process.pid)];
    const full = join(c.lab.node(1).folder, "disk", "full");
    await c.lab.node(1).tryRun([...inside, "dd", "if=/dev/zero", `of=${full}`, "bs=4k"]);
    const big = Array.from({ length: 6 }, (_, index) => `big-${index}`);
    for (const name of big) await c.createService(name, {}, { filler: "x".repeat(100_000) });
    await c.createService("web");
    const address = await c.addressOf("web");
    assert.equal(await c.untilAnswering(address), "node1");
    const status = await c.untilStatus(daemon, /Cannot save .*: database or disk is full/);
    assert.match(status, /df -h/);
    await c.lab.node(1).run([...inside, "rm", full]);
    await c.controlPlane.kubectl(["delete", "service", ...big]);
    await c.untilStatus(daemon, /health +ok/);
  });
});

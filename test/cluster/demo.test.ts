// The demo, as `make demo` runs it: it ends well, shows the main job, and leaves nothing behind.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { readdirSync } from "node:fs";
import { text } from "node:stream/consumers";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const PROGRAM = fileURLToPath(new URL("../../scripts/demo.ts", import.meta.url));

/** Namespaces of the labs that a process made: their names begin with its id. */
function namespacesOf(pid: number): string[] {
  const pattern = new RegExp(`^lbd-${pid.toString(36)}[0-9a-z]{4}-`);
  return readdirSync("/run/netns").filter((name) => pattern.test(name));
}

test("the demo shows an address that answers, who takes it over, and cleans up", async () => {
  const { KEEP: _, ...env } = process.env;
  const demo = spawn(process.execPath, [PROGRAM], { env, stdio: ["ignore", "pipe", "pipe"] });
  const ended = new Promise((resolve) => demo.once("close", resolve));
  const [stdout, stderr] = await Promise.all([text(demo.stdout), text(demo.stderr)]);
  assert.equal(await ended, 0, stdout + stderr);
  assert.match(stdout, /kubectl get service web\n.*\n.*LoadBalancer.* 192\.168\.100\.50 /);
  assert.equal(stdout.match(/curl http:\/\/192\.168\.100\.50\/\n.*"pod":"web-[12]"/g)?.length, 2);
  const [, owner] = /network card of (node\d)/.exec(stdout) ?? [];
  const [, successor] = /(node\d) took over/.exec(stdout) ?? [];
  assert.ok(owner !== undefined && successor !== undefined && owner !== successor, stdout);
  assert.match(stdout, /lbctl explain default\/web\n/);
  assert.deepEqual(namespacesOf(demo.pid ?? 0), []);
});

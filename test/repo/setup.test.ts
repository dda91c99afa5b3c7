// The scripts behind the Makefile's targets set the machine up before anything else, so that each
// target works right after cloning. Tried on copies of the scripts with a set-up that fails.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { tempDir } from "../support/temp-dir.ts";
import { root } from "./support/files.ts";

const STUB = `#!/bin/sh
echo "set-up of: $*" >&2
exit 9
`;

const ROWS: readonly (readonly [script: string, options: string, needsRoot: boolean])[] = [
  ["demo.sh", "", true],
  ["test.sh", "--no-control-plane", false],
  ["check.sh", "--no-control-plane", false],
  ["build-deb.sh", "--no-control-plane", false],
  ["check-native.sh", "--no-control-plane", true],
  ["sim.sh", "--no-control-plane", false],
  ["bench.sh", "", true],
  ["bench-failover.sh", "", true],
  ["bench-bulk.sh", "", true],
  ["bench-ipam.sh", "", true],
  ["bench-bgp.sh", "", true],
  ["soak.sh", "", true],
];

for (const [script, options, needsRoot] of ROWS) {
  test(`${script} sets up first, and ends when that fails`, (t) => {
    if (needsRoot && process.getuid?.() !== 0) return;
    const folder = tempDir(t);
    const scripts = join(folder, "scripts");
    mkdirSync(scripts);
    copyFileSync(join(root, "scripts", script), join(scripts, script));
    writeFileSync(join(scripts, "setup.sh"), STUB, { mode: 0o755 });
    const env = { PATH: process.env.PATH, HOME: folder };
    const done = spawnSync(join(scripts, script), { encoding: "utf8", env });
    assert.deepEqual([done.stderr, done.stdout, done.status], [`set-up of: ${options}\n`, "", 9]);
  });
}

test("every script of the Makefile that needs more than it brings is tried here", () => {
  const called = readFileSync(join(root, "Makefile"), "utf8").match(/[a-z-]+\.sh/g) ?? [];
  const tried = ROWS.map(([script]) => script);
  assert.deepEqual([...new Set(called)].sort(), [...tried, "clean.sh"].sort());
});

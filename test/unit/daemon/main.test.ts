// Tests of lbd as a process that ends at once: its exit status, and what it prints where.

import assert from "node:assert/strict";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { test } from "node:test";
import { wallMs } from "../../../src/core/time.ts";
import { VERSION } from "../../../src/core/version.ts";
import { MIGRATIONS } from "../../../src/store/migrations.ts";
import { openDatabase } from "../../../src/store/open-database.ts";
import { childProcess, finished } from "../../support/child-process.ts";
import { tempDir } from "../../support/temp-dir.ts";

interface Row {
  readonly args: readonly string[];
  readonly status: number;
  readonly stdout?: RegExp;
  readonly stderr?: RegExp;
}

/** Statuses of sysexits(3): EX_USAGE is 64, EX_CONFIG is 78. */
const ROWS: readonly Row[] = [
  { args: ["--bogus"], status: 64, stderr: /unknown option '--bogus'\n\(see "lbd --help"\)/ },
  { args: ["start"], status: 64, stderr: /too many arguments/ },
  { args: ["--config"], status: 64, stderr: /argument missing/ },
  { args: ["--check", "--config", "none.yaml"], status: 78, stderr: /^lbd: Cannot read the node / },
  { args: ["--check", "--config", "bad.yaml"], status: 78, stderr: /^lbd: Cannot use "bad\.yaml"/ },
  { args: ["--check", "--config", "good.yaml"], status: 0, stdout: /^"good\.yaml" is valid\n$/ },
  {
    args: ["--print-default"],
    status: 0,
    stdout: /^# \/etc\/lbd\/config\.yaml: .*\n#logLevel: info\n$/s,
  },
  { args: ["--help"], status: 0, stdout: /^Usage: lbd \[options\]\n/ },
  { args: ["--version"], status: 0, stdout: new RegExp(`^${VERSION}\n$`) },
];

for (const { args, status, stdout = /^$/, stderr = /^$/ } of ROWS) {
  test(`lbd ${args.join(" ")} ends with ${status}`, async (t) => {
    const cwd = tempDir(t);
    writeFileSync(join(cwd, "bad.yaml"), "colour: blue\n");
    writeFileSync(join(cwd, "good.yaml"), "# all defaults\n");
    const ended = await finished(childProcess(t, "src/daemon/main.ts", args, { cwd, env: {} }));
    assert.match(ended.stderr, stderr);
    assert.match(ended.stdout, stdout);
    assert.equal(ended.status, status);
  });
}

test("lbd --check refuses the state file of a newer lbd, which another daemon holds", async (t) => {
  const cwd = tempDir(t);
  const stateFile = join(cwd, "state.db");
  const { database } = openDatabase(stateFile, wallMs(0));
  t.after(() => database.close());
  writeFileSync(join(cwd, "config.yaml"), `stateFile: ${stateFile}\n`);
  const check = async () => {
    const args = ["--check", "--config", "config.yaml"];
    return finished(childProcess(t, "src/daemon/main.ts", args, { cwd, env: {} }));
  };
  assert.equal((await check()).status, 0);
  database.pragma(`user_version = ${MIGRATIONS.length + 1}`);
  database.pragma("wal_checkpoint(PASSIVE)");
  const { status, stderr } = await check();
  assert.match(stderr, /^lbd: Cannot use ".*state\.db": it was written by a newer lbd/);
  assert.equal(status, 74);
});

test("lbd ends quietly when nobody reads what it prints", async (t) => {
  const child = childProcess(t, "src/daemon/main.ts", ["--print-default"], { env: {} });
  child.stdout.destroy();
  const [status] = await once(child, "exit");
  assert.deepEqual([await text(child.stderr), status], ["", 0]);
});

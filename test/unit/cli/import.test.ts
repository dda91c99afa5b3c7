// Tests of lbctl import metallb as a process, where there is no cluster: how it ends, and what it
// says then. What it finds in one is in test/cluster/migration.test.ts.

import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { childProcess, finished } from "../../support/child-process.ts";
import { NOWHERE } from "../../support/nowhere-kubeconfig.ts";
import { tempDir } from "../../support/temp-dir.ts";

interface Row {
  readonly name: string;
  readonly kubeconfig: string | null;
  readonly status: number;
  readonly words: RegExp;
}

const ROWS: readonly Row[] = [
  { name: "is not there", kubeconfig: null, status: 2, words: /there is no such file/ },
  { name: "is broken", kubeconfig: "a: [", status: 2, words: /^lbctl: Cannot / },
  { name: "leads nowhere", kubeconfig: NOWHERE, status: 3, words: /127\.0\.0\.1:1/ },
];

for (const { name, kubeconfig, status, words } of ROWS) {
  test(`lbctl import metallb with a kubeconfig that ${name} ends with ${status}`, async (t) => {
    const file = join(tempDir(t), "kubeconfig");
    if (kubeconfig !== null) writeFileSync(file, kubeconfig);
    const args = ["import", "metallb", "--kubeconfig", file];
    const ended = await finished(childProcess(t, "src/cli/main.ts", args, { env: {} }));
    assert.deepEqual([ended.status, ended.stdout], [status, ""]);
    assert.match(ended.stderr, words);
  });
}

test("lbctl import metallb without any kubeconfig says how to name one", async (t) => {
  const env = { HOME: tempDir(t), KUBECONFIG: "" };
  const child = childProcess(t, "src/cli/main.ts", ["import", "metallb"], { env });
  const { status, stderr } = await finished(child);
  assert.equal(status, 2);
  assert.match(stderr, /Cannot find a kubeconfig: name one with "--kubeconfig"|there is no such/);
});

const MISUSES: readonly (readonly [given: string, words: RegExp])[] = [
  ["--apply --take-over", /Cannot do both: one of --apply, --take-over and --roll-back/],
  ["--take-over --roll-back", /Cannot do both/],
  ["--node n1", /Cannot use "--node": it goes with --take-over or --roll-back/],
];

for (const [given, words] of MISUSES) {
  test(`lbctl import metallb ${given} is a mistake, and asks nothing`, async (t) => {
    const args = ["import", "metallb", "--kubeconfig", "/nowhere", ...given.split(" ")];
    const { status, stderr } = await finished(
      childProcess(t, "src/cli/main.ts", args, { env: {} }),
    );
    assert.equal(status, 2);
    assert.match(stderr, words);
  });
}

test("lbctl import metallb --help fits the terminal", async (t) => {
  const child = childProcess(t, "src/cli/main.ts", ["import", "metallb", "--help"], { env: {} });
  const { status, stdout } = await finished(child);
  assert.equal(status, 0);
  assert.deepEqual(
    stdout.split("\n").filter((line) => line.length > 80),
    [],
  );
});

// Tests of the completions, in the shells themselves: what is offered at a place of the command
// line. zsh completes on a terminal only, so there it is tried that it takes the script.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { bashCompletion } from "../../../src/cli/completion/bash.ts";
import { fishCompletion } from "../../../src/cli/completion/fish.ts";
import { everyCommand, wordsOf } from "../../../src/cli/completion/words.ts";
import { zshCompletion } from "../../../src/cli/completion/zsh.ts";
import { buildProgram } from "../../../src/cli/program.ts";
import { root } from "../../repo/support/files.ts";
import { childProcess, finished } from "../../support/child-process.ts";

const WORDS = wordsOf(buildProgram());
const ALL = WORDS.commands.map(({ name }) => name);
const FORMATS = ["json", "table", "wide", "yaml"];

/** What is offered for the last of the words, in the order of the alphabet. */
const ROWS: readonly (readonly [words: readonly string[], offered: readonly string[]])[] = [
  [["lbctl", ""], [...ALL].sort()],
  [["lbctl", "frobnicate", ""], []],
  [["lbctl", "status", ""], []],
  [["lbctl", "st"], ["status"]],
  [
    ["lbctl", "plan", ""],
    ["rebalance", "shadow"],
  ],
  [["lbctl", "plan", "-f", "status", "re"], ["rebalance"]],
  [["lbctl", "--socket", "plan", "un"], ["undrain"]],
  [["lbctl", "-o", ""], FORMATS],
  [["lbctl", "history", "--output", "j"], ["json"]],
  [["lbctl", "drain", "--f"], ["--force"]],
  [["lbctl", "import", "metallb", "--a"], ["--apply"]],
  [
    ["lbctl", "completion", ""],
    ["bash", "fish", "zsh"],
  ],
  [["lbctl", "config", "convert", "--file", "packaging/deb/conf"], ["packaging/deb/config.yaml"]],
];

function offered(shell: string, script: string, argv: readonly string[]): readonly string[] {
  const done = spawnSync(shell, ["-c", script, ...argv], { encoding: "utf8", cwd: root });
  assert.deepEqual([done.stderr, done.status], ["", 0]);
  const lines = done.stdout.split("\n").filter((line) => line !== "");
  // fish tells what each means, behind a tab.
  return lines.map((line) => line.split("\t")[0] ?? "").sort();
}

for (const [words, expected] of ROWS) {
  const line = words.join(" ");

  test(`bash completes "${line}"`, () => {
    const script = `${bashCompletion(WORDS)}
      COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _lbctl; printf '%s\\n' "\${COMPREPLY[@]}"`;
    assert.deepEqual(offered("bash", script, ["bash", ...words]), [...expected]);
  });

  test(`fish completes "${line}"`, () => {
    const script = `${fishCompletion(WORDS)}\ncomplete --do-complete '${line}'`;
    assert.deepEqual(offered("fish", script, []), [...expected]);
  });
}

test("zsh takes the completion, with a function for every command", () => {
  const script = `${zshCompletion(WORDS)}\nprint -l \${(k)functions}`.replace("compdef _", ": ");
  const functions = offered("zsh", script, []);
  const expected = everyCommand(WORDS).map(({ path }) => `_${path.replaceAll(" ", "_")}`);
  assert.deepEqual(
    functions.filter((name) => name.startsWith("_lbctl")),
    expected.sort(),
  );
});

test("lbctl completion prints what is made of its own program, and asks no daemon", async (t) => {
  const ended = await finished(childProcess(t, "src/cli/main.ts", ["completion", "fish"]));
  assert.deepEqual(ended, { status: 0, stdout: fishCompletion(WORDS), stderr: "" });
});

test("lbctl completion refuses a shell that it does not know", async (t) => {
  const ended = await finished(childProcess(t, "src/cli/main.ts", ["completion", "csh"]));
  assert.deepEqual([ended.status, ended.stdout], [2, ""]);
  assert.match(ended.stderr, /Allowed choices are bash, zsh, fish/);
});

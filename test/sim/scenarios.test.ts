// The stories that a newcomer must understand, as scripts with golden traces: what happens now must
// be what the file says. `SIM_UPDATE=1` rewrites the files instead; their diff is then reviewed.

import assert from "node:assert/strict";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { diff } from "node:util";
import { playScenario } from "./support/scenario.ts";

const FOLDER = join(import.meta.dirname, "scenarios");
const MUST_UPDATE = process.env.SIM_UPDATE === "1";
const AGAIN = "SIM_UPDATE=1 node_modules/.bin/node --test test/sim/scenarios.test.ts";

for (const file of readdirSync(FOLDER).filter((name) => name.endsWith(".txt"))) {
  test(`the scenario ${file} goes as written`, () => {
    const path = join(FOLDER, file);
    const golden = readFileSync(path, "utf8");
    assert.match(golden, /^# /, "it does not say on top what it shows");
    const played = playScenario(file, golden);
    if (MUST_UPDATE) writeFileSync(path, played);
    else assert.ok(played === golden, differenceText(file, golden, played));
  });
}

const MALFORMED: readonly (readonly [string, string, RegExp])[] = [
  ["an unknown command", "explode n1", /:4: there is no "explode", but cluster, run, /],
  ["a name of every object", "toString", /:4: there is no "toString"/],
  ["a missing argument", "crash", /:4: "crash" is not "crash owner\|NODE"/],
  ["an argument too many", "crash n1 n2", /:4: "crash n1 n2" is not "crash owner\|NODE"/],
  ["a time with a unit", "run 5s", /:4: "run 5s" is not "run MS"/],
  ["a node that there is not", "crash n9", /:4: Cannot find node "n9"/],
  ["an owner before there is one", "stop owner", /:4: the VIP has no owner/],
  ["a node on neither side", "partition n1 | n3", /:4: each of n1 n2 n3 must be on one side/],
];

for (const [name, line, expected] of MALFORMED) {
  test(`playScenario() refuses ${name}, with file and line`, () => {
    const text = `# A comment.\n\ncluster nodes=3 gateway=no\n${line}\n----\n`;
    assert.throws(() => playScenario("a.txt", text), { message: expected });
  });
}

test("playScenario() refuses a command before the cluster, in whatever block", () => {
  assert.throws(() => playScenario("a.txt", "run 5\n"), {
    message: 'Cannot play a.txt:1: "cluster" comes first',
  });
  const text = "cluster nodes=1 gateway=no\n----\n  0 n1: old\n\n# More.\nwake up\n----\n";
  assert.throws(() => playScenario("a.txt", text), { message: /^Cannot play a\.txt:6: / });
});

test("playScenario() adds the traces, and leaves the rest as it is", () => {
  const head = "# A comment.\n\ncluster nodes=1 gateway=no\n# More.\nrun 5\n";
  const quiet = "----\n       (nothing happens)\n";
  const played = playScenario("a.txt", `${head}----\n  old\n\nrun 5`);
  assert.equal(played, `${head}${quiet}\nrun 5\n${quiet}`);
  assert.equal(playScenario("a.txt", played), played);
});

/** All lines of both: a trace is read as a whole. */
function differenceText(file: string, golden: string, played: string): string {
  const marks = new Map([
    [-1, "-"],
    [0, " "],
    [1, "+"],
  ]);
  const lines = diff(played.split("\n"), golden.split("\n"));
  const texts = lines.map(([operation, line]) => `${marks.get(operation)} ${line}`.trimEnd());
  const about = `${file}: - is what it says, + is what happens; if that is right: ${AGAIN}`;
  return [about, ...texts].join("\n");
}

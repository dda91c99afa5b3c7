// Tests of lbctl plan -f: what it sends, what it prints for people in 80 columns, and how it ends.

import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { test } from "node:test";
import type { ConfigPlanView } from "../../../src/api/plan-view.ts";
import { SCHEMA } from "../../../src/api/types.ts";
import { configPlanText, shadowText } from "../../../src/cli/plan-text.ts";
import { wrapped } from "../../../src/cli/wrap.ts";
import { childProcess, finished } from "../../support/child-process.ts";
import { PLAN, SHADOW, serveApi } from "../../support/fake-api-source.ts";
import { tempDir } from "../../support/temp-dir.ts";

const NARROW = { wide: false };
const textOf = (item: ConfigPlanView, options = NARROW) =>
  configPlanText({ schema: SCHEMA, item }, options);

test("configPlanText() counts first, and shows whom something happens to, and why", () => {
  assert.equal(
    textOf(PLAN),
    `3 Services: 1 keep, 1 move, 1 lose, 0 gain, 0 wait
1 announced otherwise than now
changed    IPAddressPool "metallb-system/lan"

CHANGE  SERVICE   NOW           THEN
keeps   shop/api  10.0.0.10     10.0.0.10
  not announced any more: no L2Advertisement covers pool "lan"
loses   shop/db   10.0.0.12     -
  no available IPs: lan (2 of 2 used)
moves   shop/web  10.0.0.11     10.0.0.99
                  2001:db8::11  2001:db8::11
`,
  );
});

test("configPlanText() wide names the owners, before and after", () => {
  const wide = textOf(PLAN, { wide: true });
  assert.match(wide, /^CHANGE .* NOW +THEN +OWNER NOW +OWNER THEN$/m);
  assert.match(wide, /^keeps +shop\/api +10\.0\.0\.10 +10\.0\.0\.10 +n1 +nobody$/m);
});

test("configPlanText() of a plan that changes nothing is its counts", () => {
  const services = PLAN.services.slice(0, 1).map((one) => ({ ...one, announcement: null }));
  const summary = { keeps: 1, moves: 0, loses: 0, gains: 0, waits: 0, announcements: 0 };
  assert.equal(
    textOf({ ...PLAN, services, summary, objects: [] }),
    "1 Service: 1 keep, 0 move, 0 lose, 0 gain, 0 wait\n",
  );
});

test("configPlanText() keeps to 80 columns with long reasons", () => {
  const why = "the pool is full and so is the other one, ".repeat(9);
  const services = PLAN.services.map((one) => ({ ...one, why }));
  const long = textOf({ ...PLAN, services }).split("\n");
  assert.deepEqual(
    long.filter((line) => line.length > 80),
    [],
  );
});

test("shadowText() counts, and shows who answers and who would", () => {
  assert.equal(
    shadowText({ schema: SCHEMA, item: SHADOW }, NARROW),
    `2 addresses, 2 differences

ADDRESS    SERVICES  ANSWERS NOW  LBD'S CHOICE
10.0.0.10  shop/api  n2           n1
  n2 answers; lbd would choose n1

CHANGE  SERVICE  NOW        THEN
loses   shop/db  10.0.0.12  -
  no available IPs: lan (2 of 2 used)
`,
  );
});

test("lbctl plan shadow ends with 1 while there are differences", async (t) => {
  const { status, source } = await run(t, ["plan", "shadow"]);
  assert.deepEqual([status, source.asked], [1, ["refresh", "plan shadow"]]);
});

test("wrapped() never cuts a word", () => {
  const word = "x".repeat(100);
  assert.deepEqual(wrapped(`a ${word} b`, "  "), ["  a", `  ${word}`, "  b"]);
});

async function run(t: TestContext, args: readonly string[], input = "") {
  const { path, source } = await serveApi(t);
  const child = childProcess(t, "src/cli/main.ts", ["--socket", path, ...args], { env: {} });
  child.stdin?.end(input);
  return { ...(await finished(child)), source };
}

test("lbctl plan sends the files by name, and says what to know beside the plan", async (t) => {
  const file = join(tempDir(t), "a.yaml");
  writeFileSync(file, "{}");
  const { status, stdout, stderr, source } = await run(t, ["plan", "-f", file, "--replace"]);
  assert.deepEqual([status, stdout], [0, textOf(PLAN)]);
  assert.match(stderr, /^lbctl: IPAddressPool "lan" names no namespace/);
  assert.deepEqual(source.asked, ["refresh", `plan config ${file} replace`]);
});

test("lbctl plan rebalance is still there beside it", async (t) => {
  const { status, source } = await run(t, ["plan", "rebalance"]);
  assert.deepEqual([status, source.asked], [0, ["refresh", "plan rebalance"]]);
});

test("lbctl plan of a file that is not valid ends with 1, in every format", async (t) => {
  const file = join(tempDir(t), "a.yaml");
  writeFileSync(file, "{}");
  for (const format of ["table", "wide", "json", "yaml"]) {
    const { path, source } = await serveApi(t);
    const value = { ...PLAN, valid: false, problems: ["a: found b, expected c"], notices: [] };
    source.plan = { ok: true, value };
    const args = ["--socket", path, "-o", format, "plan", "-f", file];
    const ended = await finished(childProcess(t, "src/cli/main.ts", args, { env: {} }));
    assert.deepEqual([ended.status, ended.stderr], [1, "lbctl: a: found b, expected c\n"]);
  }
});

test("lbctl plan of a file that is not there is a mistake, and asks nothing", async (t) => {
  const { status, stderr, source } = await run(t, ["plan", "-f", "/none.yaml"]);
  assert.deepEqual([status, source.asked], [2, []]);
  assert.match(stderr, /^lbctl: Cannot read "\/none\.yaml"/);
});

test("lbctl plan --help fits the terminal", async (t) => {
  const { status, stdout } = await run(t, ["plan", "--help"]);
  assert.equal(status, 0);
  assert.deepEqual(
    stdout.split("\n").filter((line) => line.length > 80),
    [],
  );
});

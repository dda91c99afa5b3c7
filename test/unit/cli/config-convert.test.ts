// Tests of lbctl config convert as a process: where it reads, what it prints, and how it ends.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { parse } from "yaml";
import { FULL, FULL_CONVERTED, SMALL } from "../../support/legacy-configs.ts";
import { tempDir } from "../../support/temp-dir.ts";

const MAIN = join(import.meta.dirname, "../../../src/cli/main.ts");

function convert(args: readonly string[], input = "") {
  const argv = [MAIN, ...args.slice(0, -1), "config", "convert", ...args.slice(-1)];
  const options = { input, encoding: "utf8" } as const;
  return spawnSync(process.execPath, argv.filter(Boolean), options);
}

test("lbctl config convert prints what can be applied, and what to know beside it", () => {
  const { status, stdout, stderr } = convert([""], FULL);
  assert.deepEqual([status, stdout], [0, FULL_CONVERTED]);
  assert.match(stderr, /^lbctl: pool "lan_Pool" becomes "lan-pool": /);
});

test("lbctl config convert reads a file, and prints a List as JSON or YAML", (t) => {
  const file = join(tempDir(t), "config.yaml");
  writeFileSync(file, SMALL);
  for (const format of ["json", "yaml"]) {
    const { status, stdout, stderr } = convert(["-o", format, `--file=${file}`]);
    assert.deepEqual([status, stderr], [0, ""]);
    const { kind, items } = parse(stdout) as { kind: string; items: { kind: string }[] };
    assert.deepEqual(
      [kind, items.map((item) => item.kind)],
      ["List", ["IPAddressPool", "L2Advertisement"]],
    );
  }
});

test("lbctl config convert of what is not valid prints every problem, and nothing else", () => {
  const { status, stdout, stderr } = convert([""], "peers: x\naddress-pools: [{}]\n");
  assert.deepEqual([status, stdout], [1, ""]);
  const lines = stderr.trim().split("\n");
  assert.equal(lines.length, 4);
  assert.equal(
    lines.every((line) => line.startsWith('lbctl: ConfigMap "metallb-system/config" config.')),
    true,
  );
});

test("lbctl config convert of a file that is not there ends with 2", (t) => {
  const file = join(tempDir(t), "none.yaml");
  const { status, stdout, stderr } = convert([`--file=${file}`]);
  assert.deepEqual([status, stdout], [2, ""]);
  assert.match(stderr, /^lbctl: Cannot read ".*none\.yaml": there is no such file\n$/);
});

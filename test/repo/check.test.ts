// Format, lint and types as tests, so that every run of the suite has them.

import { spawnSync } from "node:child_process";
import { join } from "node:path";
import test from "node:test";
import { assertNone } from "./support/assert-none.ts";
import { root } from "./support/files.ts";

test("biome finds nothing to format and nothing to lint", () => {
  assertNone(outputOf("biome", "check", "--colors=off", "--error-on-warnings", "."));
});

test("the TypeScript compiler finds no error", () => {
  assertNone(outputOf("tsc", "--pretty", "false", "-p", "."));
});

/** What the program of node_modules says when it fails; nothing when it succeeds. */
function outputOf(program: string, ...options: readonly string[]): readonly string[] {
  const path = join(root, "node_modules", ".bin", program);
  const done = spawnSync(path, options, { cwd: root, encoding: "utf8" });
  if (done.status === 0) return [];
  return `${done.stdout ?? ""}${done.stderr ?? ""}${done.error ?? ""}`.trim().split("\n");
}

// What README says can be done: the sections that messages point at, and the files it works with.

import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { assertNone } from "./support/assert-none.ts";
import { root, textOf, textsLike } from "./support/files.ts";

const readme = textOf("README.md");

test("every file of the repository that README's commands name exists", () => {
  const commands = [...readme.matchAll(/^```sh\n(.*?)^```/gms)].map((match) => match[1]).join("");
  const pattern = /(?:(?<=\s)|\/opt\/lbd\/)((?:deploy|packaging|scripts|src|systemd)\/[\w./-]*)/g;
  const named = [...commands.matchAll(pattern)].map((match) => match[1] ?? "");
  assert.ok(named.length > 0, "no command names a file");
  assertNone(named.filter((path) => !existsSync(join(root, path))));
});

test("every command of lbctl that a message names exists", () => {
  const named = [...textsLike("src/**/*.ts")].flatMap(([path, text]) =>
    [...text.matchAll(/["'`]lbctl ([a-z]+)/g)].map((match) => [path, match[1]] as const),
  );
  assert.ok(named.length > 0, "no message names a command");
  const unknown = named.filter(
    ([, name]) => !existsSync(join(root, "src/cli/commands", `${name}.ts`)),
  );
  assertNone(unknown.map(([path, name]) => `${path}: "lbctl ${name}"`));
});

// scripts/build-image.sh with a stub of debootstrap: made once for each recipe, half an image is
// none, and a failure is told with what debootstrap said last.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import test, { type TestContext } from "node:test";
import { tempDir } from "../support/temp-dir.ts";
import { root } from "./support/files.ts";

/** `debootstrap OPTION... RELEASE FOLDER [MIRROR]` */
const STUB = `#!/bin/bash
folder=$4
mkdir -p "$folder/etc" "$folder/var/lib/dbus" "$folder/var/cache/apt/archives"
echo "$*" >"$folder/made-by"
echo host >"$folder/etc/hostname"
echo 0123 >"$folder/etc/machine-id"
echo "I: hello"
if [ -e "$STUB_FAILS" ]; then echo "E: out of luck"; exit 1; fi
`;

function setUp(t: TestContext) {
  const folder = tempDir(t);
  const script = join(folder, "build-image.sh");
  const fails = join(folder, "fails");
  copyFileSync(join(root, "scripts/build-image.sh"), script);
  mkdirSync(join(folder, "bin"));
  writeFileSync(join(folder, "bin/debootstrap"), STUB, { mode: 0o755 });
  const provide = () => {
    const done = spawnSync(script, {
      encoding: "utf8",
      env: {
        PATH: `${join(folder, "bin")}:/usr/bin:/bin`,
        LBD_CACHE: join(folder, "cache"),
        STUB_FAILS: fails,
      },
    });
    return { status: done.status, printed: done.stdout.trimEnd(), said: done.stderr };
  };
  return { folder, script, fails, provide };
}

const isRoot = process.getuid?.() === 0;

test("build-image.sh makes an image once, without names and identity of this machine", (t) => {
  if (!isRoot) return;
  const { folder, provide } = setUp(t);
  const first = provide();
  assert.equal(first.status, 0, first.said);
  assert.ok(first.printed.startsWith(join(folder, "cache/debian-bookworm-")), first.printed);
  const madeBy = readFileSync(join(first.printed, "made-by"), "utf8");
  assert.match(madeBy, /^--variant=minbase --include=systemd,\S+ bookworm \S+( http\S+)?\n$/);
  assert.deepEqual(readdirSync(join(first.printed, "etc")), ["machine-id"]);
  assert.equal(readFileSync(join(first.printed, "etc/machine-id"), "utf8"), "");
  assert.deepEqual(provide(), { status: 0, printed: first.printed, said: "" });
});

test("build-image.sh makes another image when it is changed itself", (t) => {
  if (!isRoot) return;
  const { script, provide } = setUp(t);
  const { printed } = provide();
  writeFileSync(script, readFileSync(script, "utf8").replace("dbus,", ""));
  assert.notEqual(provide().printed, printed);
});

test("build-image.sh says why there is no image, and tries again the next time", (t) => {
  if (!isRoot) return;
  const { fails, provide } = setUp(t);
  writeFileSync(fails, "");
  const { status, printed, said } = provide();
  assert.deepEqual([status, printed], [1, ""]);
  assert.match(said, /^E: out of luck\nCannot provide Debian for the lab: debootstrap failed/m);
  rmSync(fails);
  const second = provide();
  assert.equal(second.status, 0, second.said);
  assert.deepEqual(readdirSync(dirname(second.printed)).sort(), [
    "debootstrap.log",
    "image",
    "lock",
  ]);
});

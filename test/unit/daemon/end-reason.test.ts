// Tests of when the end of a daemon is a restart: somebody says so, and the node file that the next
// one will read can be used.

import assert from "node:assert/strict";
import { chmodSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { endReason } from "../../../src/daemon/end-reason.ts";
import { tempDir } from "../../support/temp-dir.ts";

const BROKEN: readonly (readonly [name: string, breakIt: (path: string) => void])[] = [
  ["is gone", (path) => rmSync(path)],
  ["was emptied", (path) => writeFileSync(path, "")],
  ["was cut off", (path) => writeFileSync(path, "nodeName: n")],
  ["has a key that nobody knows", (path) => writeFileSync(path, "nodename: n1\n")],
  ["is no YAML", (path) => writeFileSync(path, "nodeName: [\n")],
];

for (const [name, breakIt] of BROKEN) {
  test(`endReason() of a restart whose node file ${name}: it is a stop`, (t) => {
    const path = join(tempDir(t), "config.yaml");
    writeFileSync(path, "nodeName: n1\n");
    assert.equal(endReason("restart", path, "n1"), "restart");
    breakIt(path);
    assert.equal(endReason("restart", path, "n1"), "stop");
  });
}

test("endReason() of a restart on a host whose name cannot be a node's: it is a stop", (t) => {
  const path = join(tempDir(t), "config.yaml");
  writeFileSync(path, "# all defaults\n");
  assert.equal(endReason("restart", path, "under_score"), "stop");
});

test("endReason() of a stop is a stop, and the node file is not looked at", (t) => {
  const path = join(tempDir(t), "config.yaml");
  assert.equal(endReason("stop", path, "n1"), "stop");
  writeFileSync(path, "nodeName: n1\n");
  chmodSync(path, 0);
  assert.equal(endReason("stop", path, "n1"), "stop");
});

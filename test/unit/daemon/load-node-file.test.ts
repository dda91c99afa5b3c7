// Tests of reading the node file from disk: what is no file, what is empty, and that every problem
// in it is told at once.

import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { loadNodeFile } from "../../../src/daemon/load-node-file.ts";
import { tempDir } from "../../support/temp-dir.ts";

test("loadNodeFile() refuses a file that is not there", (t) => {
  const path = join(tempDir(t), "config.yaml");
  assert.throws(() => loadNodeFile(path, "n1"), {
    code: "CONFIG_UNREADABLE",
    message: `Cannot read the node file: ENOENT: no such file or directory, open '${path}'`,
    exitStatus: 78,
  });
});

test("loadNodeFile() says that a folder is no file", (t) => {
  const path = join(tempDir(t), "config.yaml");
  mkdirSync(path);
  assert.throws(() => loadNodeFile(path, "n1"), {
    code: "CONFIG_UNREADABLE",
    message: /^Cannot read the node file: EISDIR/,
  });
});

for (const [name, text] of [
  ["an empty file", ""],
  ["nothing but white space", " \n\t\n"],
] as const) {
  test(`loadNodeFile() takes ${name} for one that is half-written`, (t) => {
    const path = join(tempDir(t), "config.yaml");
    writeFileSync(path, text);
    assert.throws(() => loadNodeFile(path, "n1"), {
      code: "CONFIG_INVALID",
      message:
        `Cannot use "${path}": the file is empty (half-written?); ` +
        "write at least a comment, all settings have defaults",
    });
  });
}

test("loadNodeFile() tells every problem, each in a line", (t) => {
  const path = join(tempDir(t), "config.yaml");
  writeFileSync(path, "nodeName: N_1\nsocket: lbd.sock\ncolour: blue\n");
  const check = (error: Error & { code: string }): true => {
    assert.equal(error.code, "CONFIG_INVALID");
    const [first, ...lines] = error.message.split("\n");
    assert.equal(first, `Cannot use "${path}": 3 to mend:`);
    const named = lines.map((line) => /^ {2}(\S+): found .+, expected .+$/.exec(line)?.[1]);
    assert.deepEqual(named.sort(), ["colour", "nodeName", "socket"]);
    return true;
  };
  assert.throws(() => loadNodeFile(path, "n1"), check);
});

test("loadNodeFile() says where a file is no YAML", (t) => {
  const path = join(tempDir(t), "config.yaml");
  writeFileSync(path, "nodeName: n1\nsocket: [\n");
  assert.throws(() => loadNodeFile(path, "n1"), {
    code: "CONFIG_INVALID",
    message: /^Cannot use ".+": \d to mend:\n {2}line \d: found .+, expected valid YAML/,
  });
});

test("loadNodeFile() of a comment alone gives the defaults, with the host's name", (t) => {
  const path = join(tempDir(t), "config.yaml");
  writeFileSync(path, "# all defaults\n");
  const file = loadNodeFile(path, "Node-1");
  assert.deepEqual([file.nodeName, file.socket], ["node-1", "/run/lbd/lbd.sock"]);
});

test("loadNodeFile() reads what is set", (t) => {
  const path = join(tempDir(t), "config.yaml");
  writeFileSync(path, "nodeName: rack-7\nsocketGroup: admins\nlogLevel: debug\n");
  const { nodeName, socketGroup, logLevel } = loadNodeFile(path, "n1");
  assert.deepEqual([nodeName, socketGroup, logLevel], ["rack-7", "admins", "debug"]);
});

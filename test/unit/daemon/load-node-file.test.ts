// Tests of reading the node file from disk: what cannot be read, what is empty or cut
// off, and that every problem in it is told at once.

import assert from "node:assert/strict";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { stringify } from "yaml";
import { loadNodeFile } from "../../../src/daemon/load-node-file.ts";
import { tempDir } from "../../support/temp-dir.ts";
import { asNobody } from "../../support/unix-sockets.ts";

const UNREADABLE: readonly (readonly [name: string, path: string, detail: string])[] = [
  [
    "a file that is not there",
    "none.yaml",
    "there is no such file; write it (a comment is enough, all settings have defaults), " +
      "or name it with --config",
  ],
  ["a folder", "folder", "it is a folder, not a file; name the file in it with --config"],
  [
    "a path below a file",
    "file/config.yaml",
    "a part of the path is a file, not a folder; name the file with --config",
  ],
];

for (const [name, relative, detail] of UNREADABLE) {
  test(`loadNodeFile() refuses ${name}`, (t) => {
    const folder = tempDir(t);
    mkdirSync(join(folder, "folder"));
    writeFileSync(join(folder, "file"), "");
    const path = join(folder, relative);
    assert.throws(() => loadNodeFile(path, "n1"), {
      code: "CONFIG_UNREADABLE",
      message: `Cannot read the node file "${path}": ${detail}`,
      exitStatus: 78,
    });
  });
}

test("loadNodeFile() refuses a file that this user may not read", (t) => {
  const folder = tempDir(t);
  const path = join(folder, "config.yaml");
  writeFileSync(path, "# mine\n", { mode: 0o000 });
  chmodSync(folder, 0o755);
  const load = () => asNobody(() => loadNodeFile(path, "n1"));
  assert.throws(load, {
    code: "CONFIG_UNREADABLE",
    message:
      `Cannot read the node file "${path}": this user may not read it; ` +
      "run lbd as root, or let this user read it",
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

/** As people write it; many of its prefixes are valid YAML, and some are valid node files. */
const ORDINARY = `# This node.
nodeName: rack-7

kubeconfig: /etc/lbd/kubeconfig
socketGroup: admins   # may read
excludeInterfaces: ["^docker.*", "^lo$"]
logLevel: debug
`;

test("loadNodeFile() refuses a file that was cut off within a line, wherever", (t) => {
  const path = join(tempDir(t), "config.yaml");
  const ends = Array.from(ORDINARY, (_, index) => index).filter(
    (end) => end > 0 && ORDINARY[end - 1] !== "\n",
  );
  assert.equal(ends.length, ORDINARY.length - ORDINARY.split("\n").length + 1);
  const message =
    `Cannot use "${path}": its last line has no line end, so the file may be cut off ` +
    "(half-written?); see whether all of it is there, and end the last line with a newline";
  for (const end of ends) {
    writeFileSync(path, ORDINARY.slice(0, end));
    assert.throws(() => loadNodeFile(path, "n1"), { code: "CONFIG_INVALID", message }, `${end}`);
  }
});

for (const [name, text] of [
  ["the whole of it", ORDINARY],
  ["line ends of another system", ORDINARY.replaceAll("\n", "\r\n")],
  ["what a YAML library writes", stringify({ nodeName: "rack-7", logLevel: "debug" })],
] as const) {
  test(`loadNodeFile() reads ${name}`, (t) => {
    const path = join(tempDir(t), "config.yaml");
    writeFileSync(path, text);
    const { nodeName, logLevel } = loadNodeFile(path, "n1");
    assert.deepEqual([nodeName, logLevel], ["rack-7", "debug"]);
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

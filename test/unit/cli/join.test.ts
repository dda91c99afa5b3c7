// Tests of lbctl bootstrap, join and leave as processes, where there is no cluster: how they end,
// and what they say then. With one they are in test/cluster/join.test.ts.

import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { parseAllDocuments } from "yaml";
import { childProcess, type Finished, finished } from "../../support/child-process.ts";
import { NOWHERE } from "../../support/nowhere-kubeconfig.ts";
import { tempDir } from "../../support/temp-dir.ts";

function lbctl(t: TestContext, args: readonly string[], config = ""): Promise<Finished> {
  const folder = tempDir(t);
  const places = { kubeconfig: join(folder, "k"), stateFile: join(folder, "s") };
  const text = `nodeName: n1\nkubeconfig: ${places.kubeconfig}\nstateFile: ${places.stateFile}\n`;
  writeFileSync(join(folder, "config.yaml"), config === "" ? text : config);
  writeFileSync(join(folder, "nowhere"), NOWHERE);
  const socket = ["--socket", join(folder, "none.sock")];
  const all = [...socket, ...args, "--config", join(folder, "config.yaml")];
  return finished(childProcess(t, "src/cli/main.ts", all, { cwd: folder, env: {} }));
}

interface Row {
  readonly args: readonly string[];
  readonly status: number;
  readonly words: RegExp;
  readonly config?: string;
}

const ADMIN = ["--kubeconfig", "nowhere"];
const ROWS: readonly Row[] = [
  { args: ["bootstrap", "--fast"], status: 2, words: /unknown option '--fast'/ },
  {
    args: ["bootstrap", "--kubeconfig", "none"],
    status: 2,
    words: /Cannot read kubeconfig "none": there is no such file/,
  },
  {
    args: ["bootstrap", ...ADMIN],
    status: 3,
    words: /"https:\/\/127\.0\.0\.1:1" is this very host; name the API server with --server/,
  },
  {
    args: ["bootstrap", ...ADMIN, "--server", "http://a"],
    status: 2,
    words: /Cannot use --server "http:\/\/a": expected an https/,
  },
  {
    args: ["bootstrap", ...ADMIN, "--node", "other"],
    status: 2,
    words: /the daemon of this host is "n1"; set nodeName in the node file/,
  },
  {
    args: ["bootstrap", ...ADMIN],
    config: "colour: blue\n",
    status: 2,
    words: /colour: found an unknown key/,
  },
  { args: ["join", "none"], status: 2, words: /Cannot read "none": there is no such file/ },
  { args: ["join", "nowhere"], status: 5, words: /make them with "lbctl join --print n1"/ },
  { args: ["join", ...ADMIN, "--print", "n2"], status: 3, words: /127\.0\.0\.1:1/ },
  {
    args: ["join", ...ADMIN, "--print", "n2", "--certificate"],
    status: 2,
    words: /its key stays on its node/,
  },
  {
    args: ["join", ...ADMIN, "--print", "n2", "--token-life", "5m"],
    status: 2,
    words: /Cannot use --token-life "5m": expected 10m at least/,
  },
  { args: ["leave"], status: 5, words: /there is no such file.*"lbctl leave --force" leaves/ },
  { args: ["leave", ...ADMIN], status: 3, words: /"lbctl leave --force" leaves without/ },
];

for (const { args, status, words, config } of ROWS) {
  const about = config === undefined ? "" : " and a wrong node file";
  test(`lbctl ${args.join(" ")}${about} ends with ${status}`, async (t) => {
    const ended = await lbctl(t, args, config);
    assert.match(ended.stderr, words);
    assert.deepEqual([ended.status, ended.stdout], [status, ""]);
  });
}

test("lbctl bootstrap --dry-run needs no cluster", async (t) => {
  const { status, stdout, stderr } = await lbctl(t, ["bootstrap", "--dry-run"]);
  assert.deepEqual([status, stderr], [0, ""]);
  const kinds = parseAllDocuments(stdout).map((document) => document.toJS().kind);
  assert.ok(kinds.length > 15);
  assert.ok(kinds.includes("ServiceAccount"));
});

test("lbctl leave --force removes what is here, without a cluster", async (t) => {
  const { status, stdout, stderr } = await lbctl(t, ["leave", "--force"]);
  assert.equal(status, 0);
  assert.match(stderr, /the cluster is left as it is/);
  assert.match(stdout, /kubectl delete serviceaccounts lbd-node-n1 -n lbd-system/);
});

for (const command of ["bootstrap", "join", "leave"]) {
  test(`lbctl ${command} --help fits the terminal`, async (t) => {
    const { status, stdout } = await lbctl(t, [command, "--help"]);
    assert.equal(status, 0);
    assert.deepEqual(
      stdout.split("\n").filter((line) => line.length > 80),
      [],
    );
  });
}

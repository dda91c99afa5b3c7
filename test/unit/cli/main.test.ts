// Tests of lbctl as a process: its exit status, what goes to stdout and what to stderr, and the
// formats, against a made-up daemon.

import assert from "node:assert/strict";
import { once } from "node:events";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { test } from "node:test";
import { parse } from "yaml";
import { SCHEMA } from "../../../src/api/types.ts";
import { VERSION } from "../../../src/core/version.ts";
import type { Finished } from "../../support/child-process.ts";
import { childProcess, finished } from "../../support/child-process.ts";
import type { FakeApiSource } from "../../support/fake-api-source.ts";
import {
  DRAIN,
  EXPLAINED,
  HISTORY,
  MOVES,
  NODES,
  POOLS,
  SERVICES,
  STATUS,
  serveApi,
  VIPS,
} from "../../support/fake-api-source.ts";
import { tempDir } from "../../support/temp-dir.ts";
import { scriptedServer } from "../../support/unix-sockets.ts";

function lbctl(
  t: TestContext,
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
): Promise<Finished> {
  return finished(childProcess(t, "src/cli/main.ts", args, { env }));
}

interface RefusedRow {
  readonly args: readonly string[];
  readonly status: number;
  readonly stderr: RegExp;
}

const REFUSED: readonly RefusedRow[] = [
  { args: [], status: 2, stderr: /Usage: lbctl \[options\] \[command\]/ },
  { args: ["frobnicate"], status: 2, stderr: /unknown command 'frobnicate'/ },
  { args: ["status", "--fast"], status: 2, stderr: /unknown option '--fast'/ },
  { args: ["status", "now"], status: 2, stderr: /too many arguments/ },
  { args: ["explain"], status: 2, stderr: /missing required argument 'subject'/ },
  { args: ["-o", "xml", "vips"], status: 2, stderr: /Allowed choices are table, wide, json, yaml/ },
  {
    args: ["history", "-n", "many"],
    status: 2,
    stderr: /^lbctl: Cannot read "limit": found "many"/,
  },
  {
    args: ["drain", "--timeout", "soon"],
    status: 2,
    stderr: /^lbctl: Cannot use --timeout "soon"/,
  },
  { args: ["drain", "now"], status: 2, stderr: /too many arguments for 'drain'/ },
  { args: ["move"], status: 2, stderr: /missing required argument 'address'/ },
  { args: ["move", "10.0.0.10"], status: 2, stderr: /missing required argument 'node'/ },
  { args: ["move", "10.0.0.10", ""], status: 2, stderr: /^lbctl: Cannot read "node": / },
  {
    args: ["move", "10.0.0.11", "n2"],
    status: 5,
    stderr: /^lbctl: Cannot move 10\.0\.0\.11 to "n2": nobody has it now; see "lbctl explain /,
  },
  { args: ["plan"], status: 2, stderr: /Usage: lbctl plan \[options\] \[command\]/ },
  { args: ["plan", "a-coup"], status: 2, stderr: /unknown command 'a-coup'/ },
  { args: ["explain", "shop/none"], status: 4, stderr: /^lbctl: Cannot explain "shop\/none": / },
];

for (const { args, status, stderr } of REFUSED) {
  test(`lbctl ${args.join(" ") || "alone"} ends with ${status}, its words on stderr`, async (t) => {
    const { path } = await serveApi(t);
    const ended = await lbctl(t, ["--socket", path, ...args]);
    assert.match(ended.stderr, stderr);
    assert.deepEqual([ended.status, ended.stdout], [status, ""]);
  });
}

test("lbctl ends with 3 when no daemon is there", async (t) => {
  const path = join(tempDir(t), "lbd.sock");
  const ended = await lbctl(t, ["--socket", path, "status"]);
  assert.deepEqual(ended, {
    status: 3,
    stdout: "",
    stderr:
      `lbctl: Cannot reach the daemon at "${path}": there is no such socket; ` +
      'see "systemctl status lbd", and "journalctl -u lbd" for why it stopped\n',
  });
});

test("lbctl ends with 3 when the daemon fails at the answer", async (t) => {
  const { path, source } = await serveApi(t);
  source.thrown = new Error("a bug");
  const ended = await lbctl(t, ["--socket", path, "vips"]);
  const stderr = 'lbctl: Cannot answer: a bug; see "journalctl -u lbd"\n';
  assert.deepEqual(ended, { status: 3, stdout: "", stderr });
});

for (const [args, kind, status] of [
  [["move", "10.0.0.10", "n2"], "refused", 5],
  [["move", "10.0.0.10", "n2"], "not-found", 4],
] as const) {
  test(`lbctl ${args.join(" ")} that is ${kind} ends with ${status}`, async (t) => {
    const { path, commands } = await serveApi(t);
    commands.refusal = { ok: false, kind, message: "Cannot move it: no" };
    const ended = await lbctl(t, ["--socket", path, ...args]);
    assert.deepEqual(ended, { status, stdout: "", stderr: "lbctl: Cannot move it: no\n" });
  });
}

for (const args of [["drain"], ["undrain"], ["move", "x", "n2"], ["rebalance"]]) {
  test(`lbctl ${args[0]} without a daemon ends with 3`, async (t) => {
    const ended = await lbctl(t, ["--socket", join(tempDir(t), "lbd.sock"), ...args]);
    assert.deepEqual([ended.status, ended.stdout], [3, ""]);
    assert.match(ended.stderr, /^lbctl: Cannot reach the daemon .*: there is no such socket; see /);
  });
}

test("lbctl ends with 5 when the daemon is of another version", async (t) => {
  const path = await scriptedServer(t, (socket) => {
    socket.once("data", () => {
      socket.end("HTTP/1.1 200 OK\r\nX-LBD-Version: 9.9.9\r\nContent-Length: 0\r\n\r\n");
    });
  });
  const ended = await lbctl(t, ["--socket", path, "status"]);
  assert.equal(ended.status, 5);
  assert.match(ended.stderr, /^lbctl: Cannot talk to the daemon: it is 9\.9\.9 and this lbctl is /);
});

const BAD_STEP = { step: "owner", state: "problem", text: "nobody owns it now" } as const;

interface StatusRow {
  readonly name: string;
  readonly args: readonly string[];
  readonly change: (source: FakeApiSource) => void;
  readonly status: number;
}

const STATUSES: readonly StatusRow[] = [
  {
    name: "status of a failing daemon",
    args: ["status"],
    change: (source) => {
      source.statusView = { ...STATUS, health: "failing" };
    },
    status: 1,
  },
  {
    name: "status of a degraded daemon, as JSON",
    args: ["status", "-o", "json"],
    change: (source) => {
      source.statusView = { ...STATUS, health: "degraded" };
    },
    status: 1,
  },
  {
    name: "explain of something with a problem",
    args: ["explain", "shop/web"],
    change: (source) => {
      source.explanations = [{ ...EXPLAINED, steps: [...EXPLAINED.steps, BAD_STEP] }];
    },
    status: 1,
  },
  {
    name: "undrain of a node that stays drained, as YAML",
    args: ["undrain", "-o", "yaml"],
    change: () => {},
    status: 1,
  },
  {
    name: "drain of a node that keeps something, as JSON",
    args: ["drain", "--timeout", "0", "-o", "json"],
    change: (source) => {
      source.drainView = { ...DRAIN, remaining: [{ address: "10.0.0.10", reason: "no" }] };
    },
    status: 1,
  },
  { name: "status of a daemon that is well", args: ["status"], change: () => {}, status: 0 },
  {
    name: "explain of something that is well, though nodes say no",
    args: ["explain", "shop/web"],
    change: () => {},
    status: 0,
  },
];

for (const { name, args, change, status } of STATUSES) {
  test(`lbctl ${name}: ends with ${status}, and shows it`, async (t) => {
    const { path, source } = await serveApi(t);
    change(source);
    const ended = await lbctl(t, ["--socket", path, ...args]);
    assert.deepEqual([ended.status, ended.stderr], [status, ""]);
    assert.notEqual(ended.stdout, "");
  });
}

const ANSWERS: readonly (readonly [args: readonly string[], answer: object])[] = [
  [["status"], { item: STATUS }],
  [["vips"], { items: VIPS }],
  [["services"], { items: SERVICES }],
  [["pools"], { items: POOLS }],
  [["nodes"], { items: NODES }],
  [["history"], { items: HISTORY }],
  [["explain", "shop/web"], { item: EXPLAINED }],
];
const CHANGES: typeof ANSWERS = [
  [["drain"], { item: DRAIN }],
  [["move", "10.0.0.10", "n1"], { item: { address: "10.0.0.10", from: "n1", to: "n1" } }],
  [["plan", "rebalance"], { items: MOVES }],
];

for (const [args, answer] of [...ANSWERS, ...CHANGES]) {
  test(`lbctl ${args[0]} gives programs the whole answer, as JSON and as YAML`, async (t) => {
    const { path } = await serveApi(t);
    const inJson = await lbctl(t, [...args, "--output", "json", "--socket", path]);
    assert.deepEqual(JSON.parse(inJson.stdout), { schema: SCHEMA, ...answer });
    const inYaml = await lbctl(t, ["-o", "yaml", ...args], { LBD_SOCKET: path });
    assert.deepEqual(parse(inYaml.stdout), { schema: SCHEMA, ...answer });
    assert.deepEqual([inJson.status, inYaml.status], [0, 0]);
  });
}

test("lbctl --version and --help need no daemon", async (t) => {
  const version = await lbctl(t, ["--version"]);
  assert.deepEqual(version, { status: 0, stdout: `${VERSION}\n`, stderr: "" });
  const help = await lbctl(t, ["--help"]);
  assert.deepEqual([help.status, help.stderr], [0, ""]);
  const named = help.stdout.match(/^ {2}[a-z]+(?= )/gm)?.map((name) => name.trim());
  const commands = ANSWERS.map(([args]) => args[0]).toSpliced(5, 0, "bgp");
  const changing = ["drain", "undrain", "move", "plan", "rebalance"];
  const host = ["bootstrap", "join", "leave", "doctor", "bugreport"];
  const others = ["config", "import", "completion", "help"];
  assert.deepEqual(named, [
    ...commands,
    "watch",
    "top",
    "ui",
    "arp",
    ...changing,
    ...host,
    ...others,
  ]);
});

for (const format of ["table", "json", "yaml"]) {
  test(`lbctl -o ${format} keeps its exit status when nobody reads to the end`, async (t) => {
    const { path, source } = await serveApi(t);
    source.statusView = { ...STATUS, health: "degraded" };
    const args = ["--socket", path, "-o", format, "status"];
    const child = childProcess(t, "src/cli/main.ts", args, { env: {} });
    child.stdout.destroy();
    const said: string[] = [];
    child.stderr.on("data", (chunk) => said.push(String(chunk)));
    const [status] = await once(child, "close");
    assert.deepEqual([status, said], [1, []]);
  });
}

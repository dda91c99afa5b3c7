// Tests of lbctl doctor and lbctl bugreport as processes, on a host without a daemon: what is on
// disk is in the archive, and no secret of it.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { gunzipSync } from "node:zlib";
import { stringify } from "yaml";
import { SCHEMA } from "../../../src/api/types.ts";
import { wallMs } from "../../../src/core/time.ts";
import type { DoctorReport } from "../../../src/doctor/doctor.ts";
import { Store } from "../../../src/store/store.ts";
import { childProcess, finished } from "../../support/child-process.ts";
import { tempDir } from "../../support/temp-dir.ts";

const BEACON_KEY = createHash("sha256").update("a beacon key").digest();
const TOKEN = "a-token-that-is-no-jwt-0123456789";
const KEY_LINE = "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVo5".repeat(2);
const CLIENT_KEY = `-----BEGIN PRIVATE KEY-----\n${KEY_LINE}\n-----END PRIVATE KEY-----\n`;
const PASSWORD = "correct-horse-battery";
const AT = wallMs(Date.parse("2026-11-27T10:00:00Z"));

interface Host {
  readonly folder: string;
  readonly config: string;
}

/** A node file, credentials and a state file with a history and the beacons' key. */
function hostWith(t: TestContext): Host {
  const folder = tempDir(t);
  const config = join(folder, "config.yaml");
  const stateFolder = join(folder, "state");
  mkdirSync(stateFolder);
  const stateFile = join(stateFolder, "state.db");
  const kubeconfig = join(folder, "kubeconfig");
  const socket = join(folder, "lbd.sock");
  const about = { nodeName: "n1", kubeconfig, stateFile, socket, socketGroup: "root" };
  writeFileSync(config, `# ${TOKEN} is in a comment\n${stringify(about)}metrics: {port: 0}\n`);
  writeFileSync(join(folder, "token"), `${TOKEN}\n`);
  const key = Buffer.from(CLIENT_KEY).toString("base64");
  const user = { tokenFile: "token", "client-key-data": key, password: PASSWORD };
  const server = "https://127.0.0.1:1";
  const document = {
    "current-context": "c",
    contexts: [{ name: "c", context: { cluster: "k", user: "u" } }],
    clusters: [{ name: "k", cluster: { server } }],
    users: [{ name: "u", user }],
  };
  writeFileSync(kubeconfig, stringify(document));
  const store = Store.open(stateFile, AT);
  const change = { at: AT, address: "10.0.0.10", change: "gained", node: "n1", epoch: 4 } as const;
  store.recordChange({ ...change, cause: "no-holder", detail: `told with ${TOKEN}` });
  store.saveSetting("beacon-keys", BEACON_KEY);
  store.close();
  return { folder, config };
}

function lbctl(t: TestContext, args: readonly string[]) {
  return finished(childProcess(t, "src/cli/main.ts", args, { env: {} }));
}

test("bugreport without a daemon has what is on disk, and no secret in any form", async (t) => {
  const { folder, config } = hostWith(t);
  const file = join(folder, "report.tar.gz");
  const before = readdirSync(join(folder, "state"));
  const { status, stdout } = await lbctl(t, ["bugreport", "--config", config, "--file", file]);
  assert.equal(status, 0);
  assert.match(stdout, new RegExp(`^written {3}${file}$`, "m"));
  assert.equal(statSync(file).mode & 0o777, 0o600);
  const everything = gunzipSync(readFileSync(file)).toString("latin1");
  const secrets = [
    ...[TOKEN, PASSWORD, CLIENT_KEY.split("\n")[1] ?? ""],
    ...[TOKEN, CLIENT_KEY, BEACON_KEY].flatMap((value) =>
      (["base64", "base64url", "hex"] as const).map((form) => Buffer.from(value).toString(form)),
    ),
  ];
  for (const secret of secrets) assert.ok(!everything.includes(secret), secret);
  execFileSync("tar", ["-xzf", file, "--strip-components=1", "-C", folder]);
  const history = JSON.parse(readFileSync(join(folder, "state/history.json"), "utf8"));
  assert.deepEqual([history[0].address, history[0].cause], ["10.0.0.10", "no-holder"]);
  assert.equal(history[0].detail, "told with [redacted token]");
  const manifest = readFileSync(join(folder, "MANIFEST"), "utf8");
  for (const name of ["versions.txt", "config.yaml", "kubeconfig.yaml", "doctor.json"]) {
    assert.match(manifest, new RegExp(`^ {2}${name.replace(".", "\\.")} \\(`, "m"));
  }
  assert.match(manifest, /^ {2}api\/: Cannot reach the daemon/m);
  assert.match(manifest, /^ {2}metrics\.txt: metrics are off/m);
  assert.match(manifest, /^ {2}token: [1-9]/m);
  // A file of root's in there would be in the way of a daemon that has a user of its own.
  const after = readdirSync(join(folder, "state")).filter((name) => name.startsWith("state.db"));
  assert.deepEqual(after, before);
});

test("bugreport with no file at all still says what it could not find", async (t) => {
  const folder = tempDir(t);
  const file = join(folder, "report.tar.gz");
  const config = join(folder, "none.yaml");
  const socket = join(folder, "none.sock");
  const arguments_ = ["--socket", socket, "bugreport", "--config", config, "-f", file];
  const { status, stdout } = await lbctl(t, ["-o", "json", ...arguments_]);
  assert.equal(status, 0);
  const { schema, item } = JSON.parse(stdout);
  assert.equal(schema, SCHEMA);
  const missing = (item.missing as { name: string }[]).map(({ name }) => name);
  for (const name of ["config.yaml", "kubeconfig.yaml", "api/", "state/"]) {
    assert.ok(missing.includes(name), name);
  }
});

test("bugreport refuses a file that is there, with 2", async (t) => {
  const { config } = hostWith(t);
  const { status, stderr } = await lbctl(t, ["bugreport", "--config", config, "-f", config]);
  assert.equal(status, 2);
  assert.match(stderr, /^lbctl: Cannot write ".*": there is such a file already/);
});

async function doctor(t: TestContext, config: string): Promise<[number | null, DoctorReport]> {
  const { status, stdout, stderr } = await lbctl(t, ["doctor", "--config", config, "-o", "json"]);
  assert.equal(stderr, "");
  const { schema, item } = JSON.parse(stdout) as { schema: string; item: DoctorReport };
  assert.equal(schema, SCHEMA);
  return [status, item];
}

function findingOf({ findings }: DoctorReport, check: string) {
  return findings.find((finding) => finding.check === check);
}

test("doctor finds the process that has the socket", async (t) => {
  const { folder, config } = hostWith(t);
  const server = createServer((connection) => connection.end("who are you?"));
  t.after(() => server.close());
  await new Promise<void>((resolve) => server.listen(join(folder, "lbd.sock"), resolve));
  const [status, report] = await doctor(t, config);
  assert.equal(status, 1);
  assert.match(findingOf(report, "socket")?.cause ?? "", new RegExp(`process ${process.pid}\\)`));
});

test("doctor finds a state file that is no database, and a folder that is a file", async (t) => {
  const { folder, config } = hostWith(t);
  writeFileSync(join(folder, "state/state.db"), "garbage, and more of it");
  const [, damaged] = await doctor(t, config);
  assert.match(findingOf(damaged, "state")?.cause ?? "", /no SQLite file/);
  const text = readFileSync(config, "utf8").replace(/^stateFile: .*$/m, `stateFile: ${config}/x`);
  writeFileSync(config, text);
  const [, misplaced] = await doctor(t, config);
  assert.match(findingOf(misplaced, "state")?.cause ?? "", /a file lies where/);
});

test("doctor finds every mistake of the node file, and goes on with the defaults", async (t) => {
  const folder = tempDir(t);
  const config = join(folder, "config.yaml");
  writeFileSync(config, "nodeNmae: n1\nlogLevel: loud\n");
  const [status, report] = await doctor(t, config);
  assert.equal(status, 1);
  const { cause = "" } = findingOf(report, "node file") ?? {};
  assert.match(cause, /nodeNmae/);
  assert.match(cause, /logLevel/);
  assert.ok(report.checks.length > 15);
});

test("doctor finds an API server that is not there, and credentials that are bad", async (t) => {
  const { folder, config } = hostWith(t);
  const kubeconfig = join(folder, "kubeconfig");
  const [, invalid] = await doctor(t, config);
  assert.match(findingOf(invalid, "credentials")?.cause ?? "", /Cannot use kubeconfig/);
  const text = readFileSync(kubeconfig, "utf8");
  writeFileSync(kubeconfig, text.replace(/^.*(client-key-data|password).*\n( {6,}.*\n)*/gm, ""));
  const [, unreachable] = await doctor(t, config);
  assert.equal(findingOf(unreachable, "credentials"), undefined);
  assert.match(findingOf(unreachable, "kubernetes api")?.cause ?? "", /127\.0\.0\.1:1/);
});

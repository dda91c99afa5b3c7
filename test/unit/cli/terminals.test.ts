// lbctl in odd places: a narrow terminal, no locale, no colours, a reader that goes, a daemon that
// does not answer.

import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { promisify, stripVTControlCharacters } from "node:util";
import type { StatusView } from "../../../src/api/types.ts";
import { type ServedApi, STATUS, serveApi } from "../../support/fake-api-source.ts";
import { tempDir } from "../../support/temp-dir.ts";

const MAIN = join(import.meta.dirname, "../../../src/cli/main.ts");
const run = promisify(execFile);

const ILL: StatusView = {
  ...STATUS,
  health: "failing",
  findings: [
    {
      health: "failing",
      what: "Nobody answers for 10.0.0.10, which two Services of the namespace shop have",
      cause: "no node is eligible (n1: it is drained; n2: its Lease says down)",
      next: "lbctl explain 10.0.0.10",
      since: "2026-11-27T09:55:00.000Z",
    },
  ],
};
const RED = "\u001b[31m";

async function serveIll(t: TestContext): Promise<ServedApi> {
  const api = await serveApi(t);
  api.source.statusView = ILL;
  return api;
}

/** The screen of a real terminal with so many columns (script(1)). */
async function onTerminal(
  { path }: ServedApi,
  columns: number,
  env: Readonly<Record<string, string>> = {},
): Promise<string> {
  const lbctl = `${process.execPath} ${MAIN} --socket ${path} status`;
  const command = `stty cols ${columns} rows 40; ${lbctl}`;
  const options = { env: { PATH: process.env.PATH, TERM: "xterm", ...env } };
  const { stdout } = await run("script", ["-qec", command, "/dev/null"], options).catch(
    (failed: { stdout: string }) => failed,
  );
  return stdout.replaceAll("\r", "");
}

function lengths(text: string): number[] {
  return stripVTControlCharacters(text)
    .split("\n")
    .map((line) => line.length);
}

test("lbctl status is coloured on a terminal, and fits 80 columns of it", async (t) => {
  const screen = await onTerminal(await serveIll(t), 200);
  assert.ok(screen.includes(`${RED}failing`), screen);
  assert.ok(Math.max(...lengths(screen)) <= 80, screen);
});

test("lbctl status on a terminal of 20 columns breaks its lines, and loses nothing", async (t) => {
  const screen = await onTerminal(await serveIll(t), 20);
  const words = screen.split(/\s+/);
  for (const word of ILL.findings[0]?.cause.split(" ") ?? []) assert.ok(words.includes(word), word);
  // Only a word that is longer than that is not broken.
  const long = screen.split("\n").filter((_, index) => (lengths(screen)[index] ?? 0) > 20);
  for (const line of long) assert.ok(line.trim().split(/\s+/).length <= 2, line);
});

const PLAIN: readonly (readonly [string, Readonly<Record<string, string>>])[] = [
  ["NO_COLOR is set", { NO_COLOR: "1" }],
  ["the terminal is dumb", { TERM: "dumb" }],
];

for (const [name, env] of PLAIN) {
  test(`lbctl status has no colours when ${name}`, async (t) => {
    const screen = await onTerminal(await serveIll(t), 80, env);
    assert.ok(screen.includes("health    failing"), screen);
    assert.ok(!screen.includes("\u001b["), screen);
  });
}

test("lbctl status has no colours in a pipe, nor without a locale or TERM", async (t) => {
  const { path } = await serveIll(t);
  const failed = await run(process.execPath, [MAIN, "--socket", path, "status"], { env: {} }).then(
    () => assert.fail("it is failing"),
    (error: { code: number; stdout: string }) => error,
  );
  assert.equal(failed.code, 1);
  assert.match(failed.stdout, /^health {4}failing\n {2}failing: Nobody answers/);
});

test("lbctl watch ends when its reader goes, and leaves the daemon alone", async (t) => {
  const api = await serveApi(t);
  const child = spawn(process.execPath, [MAIN, "--socket", api.path, "watch"], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  t.after(() => child.kill("SIGKILL"));
  while (api.source.followers.size === 0) await new Promise((resolve) => setTimeout(resolve, 10));
  child.stdout.destroy();
  const ended = once(child, "exit");
  while (child.exitCode === null && child.signalCode === null) {
    for (const tell of api.source.followers) tell({ type: "dropped", count: 1 });
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  assert.deepEqual(await ended, [0, null]);
  while (api.source.followers.size > 0) await new Promise((resolve) => setTimeout(resolve, 10));
});

test("lbctl status --watch says that nobody answers, until somebody does", async (t) => {
  const path = join(tempDir(t), "lbd.sock");
  const argv = [MAIN, "--socket", path, "status", "--watch"];
  const child = spawn(process.execPath, argv, { stdio: ["ignore", "pipe", "pipe"] });
  t.after(() => child.kill("SIGKILL"));
  const [said] = (await once(child.stderr, "data")) as [Buffer];
  assert.match(said.toString(), /^lbctl: Cannot reach the daemon/);
  await serveApi(t, { path });
  const [shown] = (await once(child.stdout, "data")) as [Buffer];
  assert.match(shown.toString(), /^health {4}ok\n/);
});

test("lbctl says in time that the daemon hangs", async (t) => {
  const path = join(tempDir(t), "lbd.sock");
  const hung = createServer(() => {}).listen(path);
  t.after(() => hung.close());
  await once(hung, "listening");
  const begun = performance.now();
  const argv = [MAIN, "--socket", path, "status"];
  const failed = await run(process.execPath, argv).catch(
    (e: { code: number; stderr: string }) => e,
  );
  assert.ok("code" in failed && failed.code === 6);
  assert.match(failed.stderr, /within 5 s; see "journalctl -u lbd"/);
  assert.ok(performance.now() - begun < 8_000);
});

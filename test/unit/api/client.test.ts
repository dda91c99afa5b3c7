// Tests of the client against everything that can lie at the daemon's path: nothing, a file, a dead
// socket, and servers that are silent, hang up, speak something else, or are of another version.

import assert from "node:assert/strict";
import { chmodSync, writeFileSync } from "node:fs";
import type { Socket } from "node:net";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { test } from "node:test";
import { ApiClient } from "../../../src/api/client.ts";
import { SCHEMA } from "../../../src/api/types.ts";
import type { ErrorCode } from "../../../src/core/errors.ts";
import { AppError } from "../../../src/core/errors.ts";
import { VERSION } from "../../../src/core/version.ts";
import { EXPLAINED, MOVES, serveApi, VIPS } from "../../support/fake-api-source.ts";
import { tempDir } from "../../support/temp-dir.ts";
import { asNobody, makeDeadSocket, scriptedServer } from "../../support/unix-sockets.ts";

const unreachable = (path: string, reason: string) =>
  `Cannot reach the daemon at "${path}": ${reason}; ` +
  'see "systemctl status lbd", and "journalctl -u lbd" for why it stopped';

type Place = readonly [
  name: string,
  make: (folder: string) => Promise<void> | void,
  reason: string,
];

const PLACES: readonly Place[] = [
  ["there is no socket", () => {}, "there is no such socket"],
  ["a plain file is there", (path) => writeFileSync(path, ""), "nobody answers on it"],
  ["its daemon is dead", makeDeadSocket, "nobody answers on it"],
];

for (const [name, make, reason] of PLACES) {
  test(`get() says so when ${name}`, async (t) => {
    const path = join(tempDir(t), "lbd.sock");
    await make(path);
    await assert.rejects(new ApiClient(path).get("/v1/status"), {
      name: "AppError",
      code: "DAEMON_UNREACHABLE",
      message: unreachable(path, reason),
    });
  });
}

test("get() says who may open the socket when this user may not", async (t) => {
  const { path } = await serveApi(t);
  chmodSync(join(path, ".."), 0o755);
  chmodSync(path, 0);
  const answer = asNobody(() => new ApiClient(path).get("/v1/status"));
  await assert.rejects(answer, {
    code: "DAEMON_FORBIDDEN",
    message: `Cannot open "${path}": run as root, or as a member of the group lbd`,
  });
});

/** Sends `text` when asked, then ends the connection. */
function saying(text: string): (socket: Socket) => void {
  return (socket) => socket.once("data", () => socket.end(text));
}

function http(body: string, options: { status?: number; version?: string; length?: number } = {}) {
  const { status = 200, version = VERSION, length = Buffer.byteLength(body) } = options;
  const versionLine = version === "" ? "" : `X-LBD-Version: ${version}\r\n`;
  const lengthLine = `Content-Length: ${length}\r\n`;
  return `HTTP/1.1 ${status} Whatever\r\n${versionLine}${lengthLine}\r\n${body}`;
}

const hangUp = (socket: Socket): void => {
  socket.once("data", () => socket.destroy());
};

const HANGING: readonly (readonly [string, (socket: Socket) => void, string])[] = [
  ["hangs up", hangUp, "it hung up"],
  ["hangs up within the answer", saying(http("{", { length: 100 })), "it hung up"],
  ["hangs up within the head", saying("HTTP/1.1 200 OK\r\nX-"), "it hung up"],
  ["speaks SSH", saying("SSH-2.0-OpenSSH_10.0\r\n"), "what answers there does not speak HTTP"],
  ["says garbage", saying("\0\r\n\x80\r\n\r\n"), "what answers there does not speak HTTP"],
];

for (const [name, script, reason] of HANGING) {
  test(`get() says so when the server ${name}`, async (t) => {
    const path = await scriptedServer(t, script);
    await assert.rejects(new ApiClient(path).get("/v1/status"), {
      code: "DAEMON_UNREACHABLE",
      message: unreachable(path, reason),
    });
  });
}

const SILENT: readonly (readonly [string, (socket: Socket) => void])[] = [
  ["never answers", (socket) => socket.resume()],
  ["never ends its answer", (socket) => socket.write(http("{", { length: 100 }))],
];

for (const [name, script] of SILENT) {
  test(`get() gives up a server that ${name}`, async (t) => {
    const path = await scriptedServer(t, script);
    await assert.rejects(new ApiClient(path, { timeoutMs: 20 }).get("/v1/status"), {
      code: "DAEMON_TIMEOUT",
      message:
        "Cannot get an answer from the daemon within 0.02 s; " +
        'see "journalctl -u lbd", and restart it with "systemctl restart lbd"',
    });
  });
}

const otherVersion = (shown: string) =>
  `Cannot talk to the daemon: it is ${shown} and this lbctl is ${VERSION}; ` +
  'restart it with "systemctl restart lbd" so that both are of one version';
const HTML = "<!DOCTYPE html><title>It works!</title>";
const NOT_OURS = 'Cannot read the daemon\'s answer: it is not of schema "lbd/v1"';
const NOT_JSON = "Cannot read the daemon's answer: it is not JSON";

function errorBody(kind: string, message = "Cannot do it"): string {
  return JSON.stringify({ schema: SCHEMA, error: { kind, message } });
}

interface AnswerRow {
  readonly name: string;
  readonly answer: string;
  readonly code: ErrorCode;
  readonly message: string;
}

const ANSWERS: readonly AnswerRow[] = [
  {
    name: "HTML of a web server",
    answer: http(HTML, { version: "" }),
    code: "VERSION_MISMATCH",
    message: otherVersion("of another kind"),
  },
  { name: "HTML", answer: http(HTML), code: "DAEMON_UNREACHABLE", message: NOT_JSON },
  { name: "nothing", answer: http(""), code: "DAEMON_UNREACHABLE", message: NOT_JSON },
  ...["null", "[]", '"lbd/v1"', "{}", '{"schema":"lbd/v2","items":[]}'].map((body) => ({
    name: body,
    answer: http(body),
    code: "DAEMON_UNREACHABLE" as const,
    message: NOT_OURS,
  })),
  {
    name: "an answer of another version",
    answer: http(JSON.stringify({ schema: SCHEMA, items: [] }), { version: "9.9.9" }),
    code: "VERSION_MISMATCH",
    message: otherVersion("9.9.9"),
  },
  {
    name: "an error of another version",
    answer: http(errorBody("internal"), { status: 500, version: "0.0.1" }),
    code: "VERSION_MISMATCH",
    message: otherVersion("0.0.1"),
  },
  {
    name: "an error of no known kind",
    answer: http(errorBody("odd"), { status: 418 }),
    code: "DAEMON_UNREACHABLE",
    message: "Cannot do it",
  },
  {
    name: "an error without its text",
    answer: http(JSON.stringify({ schema: SCHEMA }), { status: 500 }),
    code: "DAEMON_UNREACHABLE",
    message: "Cannot answer",
  },
  {
    name: "an error of kind internal",
    answer: http(errorBody("internal"), { status: 500 }),
    code: "DAEMON_UNREACHABLE",
    message: 'Cannot do it; see "journalctl -u lbd"',
  },
  ...(
    [
      ["not-found", 404, "NOT_FOUND"],
      ["bad-request", 400, "USAGE"],
      ["method-not-allowed", 405, "USAGE"],
      ["forbidden", 403, "DAEMON_FORBIDDEN"],
      ["refused", 409, "REFUSED"],
    ] as const
  ).map(([kind, status, code]) => ({
    name: `an error of kind ${kind}`,
    answer: http(errorBody(kind), { status }),
    code,
    message: "Cannot do it",
  })),
];

for (const { name, answer, code, message } of ANSWERS) {
  test(`get() takes ${name} for ${code}`, async (t) => {
    const path = await scriptedServer(t, saying(answer));
    await assert.rejects(new ApiClient(path).get("/v1/status"), { code, message });
  });
}

async function client(t: TestContext) {
  const served = await serveApi(t);
  return { ...served, client: new ApiClient(served.path) };
}

test("get() brings what the daemon says", async (t) => {
  const { client: daemon } = await client(t);
  assert.deepEqual(await daemon.get("/v1/vips"), { schema: SCHEMA, items: VIPS });
});

test("get() sends the query, escaped, without what is not given", async (t) => {
  const { client: daemon, source } = await client(t);
  source.explanations = [{ ...EXPLAINED, subject: "a/b & c=d?#+%" }];
  await daemon.get("/v1/explain", { subject: "a/b & c=d?#+%" });
  await daemon.get("/v1/history", { address: undefined, limit: "3" });
  const questions = source.asked.filter((question) => question !== "refresh");
  assert.deepEqual(questions, ["explain a/b & c=d?#+%", "history all 3"]);
});

test("get() brings an answer of many megabytes whole", async (t) => {
  const { client: daemon, source } = await client(t);
  const [row] = source.historyRows;
  assert.ok(row !== undefined);
  const rows = Array.from({ length: 2_000 }, (_, epoch) => {
    return { ...row, epoch, detail: "é🦀".repeat(500) };
  });
  source.historyRows = rows;
  assert.deepEqual((await daemon.get("/v1/history")).items, rows);
});

test("get() tells what the daemon refuses in the daemon's words", async (t) => {
  const { client: daemon } = await client(t);
  await assert.rejects(daemon.get("/v1/explain", { subject: "x" }), (error: unknown) => {
    assert.ok(error instanceof AppError);
    assert.equal(error.exitStatus, 4);
    assert.match(error.message, /^Cannot explain "x": there is no Service/);
    return true;
  });
});

test("get() gives up a server that drips its answer", { timeout: 5_000 }, async (t) => {
  const path = await scriptedServer(t, (socket) => {
    socket.write("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n");
    const timer = setInterval(() => socket.write(" "), 20);
    socket.on("close", () => clearInterval(timer));
    socket.on("error", () => {});
  });
  const answer = new ApiClient(path, { timeoutMs: 100 }).get("/v1/status");
  await assert.rejects(answer, { code: "DAEMON_TIMEOUT" });
});

test("post() has the daemon do it, and brings what comes of it", async (t) => {
  const { client: daemon, commands } = await client(t);
  const answer = await daemon.post("/v1/move", { address: "10.0.0.10", node: "n2" });
  assert.deepEqual(answer, { schema: SCHEMA, item: MOVES[0] });
  assert.deepEqual(await daemon.post("/v1/rebalance", {}), { schema: SCHEMA, items: MOVES });
  assert.deepEqual(commands.asked, ["move 10.0.0.10 n2", "rebalance"]);
});

const UNDONE: readonly (readonly ["refused" | "not-found", ErrorCode, number])[] = [
  ["refused", "REFUSED", 5],
  ["not-found", "NOT_FOUND", 4],
];

for (const [kind, code, exitStatus] of UNDONE) {
  test(`post() throws ${code} in the daemon's words for what is ${kind}`, async (t) => {
    const { client: daemon, commands } = await client(t);
    commands.refusal = { ok: false, kind, message: "Cannot move it: no" };
    const answer = daemon.post("/v1/move", { address: "10.0.0.10", node: "n2" });
    await assert.rejects(answer, { code, exitStatus, message: "Cannot move it: no" });
  });
}

test("post() of what the daemon cannot read is a wrong usage, and nothing is done", async (t) => {
  const { client: daemon, commands } = await client(t);
  const answer = daemon.post("/v1/move", { address: "", node: "n2" });
  await assert.rejects(answer, { code: "USAGE", message: /^Cannot read "address": / });
  assert.deepEqual(commands.asked, []);
});

test("post() says so when nobody is there, as get() does", async (t) => {
  const path = join(tempDir(t), "lbd.sock");
  await assert.rejects(new ApiClient(path).post("/v1/undrain", {}), {
    code: "DAEMON_UNREACHABLE",
    message: unreachable(path, "there is no such socket"),
  });
});

test("post() of a member of the group alone is refused, and nothing is done", async (t) => {
  const { path, commands } = await serveApi(t);
  chmodSync(join(path, ".."), 0o755);
  chmodSync(path, 0o666);
  const answer = asNobody(() => new ApiClient(path).post("/v1/drain", { force: false }));
  await assert.rejects(answer, {
    code: "DAEMON_FORBIDDEN",
    exitStatus: 5,
    message: 'Cannot POST "/v1/drain": only root may change anything; run it as root',
  });
  assert.deepEqual(commands.asked, []);
});

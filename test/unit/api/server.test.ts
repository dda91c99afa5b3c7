// Tests of how the daemon takes its socket: what may lie at the path, a second daemon, who may open
// it, and who may change something.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import type { Socket } from "node:net";
import { connect } from "node:net";
import { dirname, join } from "node:path";
import type { TestContext } from "node:test";
import { test } from "node:test";
import { ApiServer, mayUse } from "../../../src/api/server.ts";
import { FakeApiSource, FakeCommands, serveApi } from "../../support/fake-api-source.ts";
import { tempDir } from "../../support/temp-dir.ts";
import {
  asNobody,
  makeDeadSocket,
  rawRequest,
  scriptedServer,
} from "../../support/unix-sockets.ts";

/** One that was not told to listen. */
function serverAt(t: TestContext, path: string): ApiServer {
  const onError = (error: unknown) => assert.fail(String(error));
  const [source, commands] = [new FakeApiSource(), new FakeCommands()];
  const server = new ApiServer({ path, group: "no-such-group", source, commands, onError });
  t.after(() => server.close());
  return server;
}

const UNAVAILABLE: readonly (readonly [
  name: string,
  pathIn: (folder: string) => string,
  detail: RegExp,
])[] = [
  [
    "a plain file",
    (folder) => {
      writeFileSync(join(folder, "lbd.sock"), "mine");
      return join(folder, "lbd.sock");
    },
    /: there is something else, which is no socket$/,
  ],
  [
    "a folder",
    (folder) => {
      mkdirSync(join(folder, "lbd.sock"));
      return join(folder, "lbd.sock");
    },
    /: there is something else, which is no socket$/,
  ],
  [
    "a link that leads nowhere",
    (folder) => {
      symlinkSync("nowhere", join(folder, "lbd.sock"));
      return join(folder, "lbd.sock");
    },
    /: there is something else, which is no socket$/,
  ],
  [
    "a path below a file",
    (folder) => {
      writeFileSync(join(folder, "file"), "");
      return join(folder, "file", "lbd.sock");
    },
    /: .*(ENOTDIR|not a directory)/,
  ],
  ["two folders that are missing", (folder) => join(folder, "a", "b", "lbd.sock"), /ENOENT/],
];

for (const [name, pathIn, detail] of UNAVAILABLE) {
  test(`listen() refuses ${name}, and leaves it as it is`, async (t) => {
    const folder = tempDir(t);
    const path = pathIn(folder);
    const before = readdirSync(folder, { recursive: true, withFileTypes: true });
    const server = serverAt(t, path);
    await assert.rejects(server.listen(), (error: Error & { code: string }) => {
      assert.equal(error.code, "SOCKET_UNAVAILABLE");
      assert.ok(error.message.startsWith(`Cannot listen on "${path}": `), error.message);
      assert.match(error.message, detail);
      return true;
    });
    await server.close();
    assert.deepEqual(readdirSync(folder, { recursive: true, withFileTypes: true }), before);
  });
}

test("listen() refuses a second daemon on the same socket, and the first goes on", async (t) => {
  const first = await serveApi(t);
  const second = serverAt(t, first.path);
  await assert.rejects(second.listen(), {
    code: "ALREADY_RUNNING",
    message: `Cannot listen on "${first.path}": another lbd on this host answers there`,
  });
  await second.close();
  assert.equal((await rawRequest(first.path, "/v1/status")).status, 200);
  assert.deepEqual(first.source.asked, ["refresh", "status"]);
});

test("listen() refuses a socket on which something else answers", async (t) => {
  const path = await scriptedServer(t, (socket) => socket.end());
  await assert.rejects(serveApi(t, { path }), { code: "ALREADY_RUNNING" });
  assert.ok(statSync(path).isSocket());
});

test("listen() replaces the socket of a daemon that is dead", async (t) => {
  const path = join(tempDir(t), "lbd.sock");
  await makeDeadSocket(path);
  await assert.rejects(rawRequest(path, "/v1/status"), { code: "ECONNREFUSED" });
  await serveApi(t, { path });
  assert.equal((await rawRequest(path, "/v1/status")).status, 200);
});

test("listen() makes the folder where it is missing", async (t) => {
  const path = join(tempDir(t), "lbd", "lbd.sock");
  await serveApi(t, { path });
  assert.equal((await rawRequest(path, "/v1/status")).status, 200);
});

test("close() removes the socket, and another daemon may follow", async (t) => {
  const { path, server } = await serveApi(t);
  await server.close();
  assert.equal(existsSync(path), false);
  await serveApi(t, { path });
  assert.equal((await rawRequest(path, "/v1/status")).status, 200);
});

test("close() hangs up on those that still wait for an answer", async (t) => {
  const { path, server, source } = await serveApi(t);
  const asked = Promise.withResolvers<void>();
  source.refresh = () => {
    asked.resolve();
    return new Promise(() => {});
  };
  const hungUp = assert.rejects(rawRequest(path, "/v1/status"), { code: "ECONNRESET" });
  await asked.promise;
  await server.close();
  await hungUp;
});

test("listen() lets in owner and group, and nobody else", async (t) => {
  const { path } = await serveApi(t);
  const { mode, gid } = statSync(path);
  assert.equal(mode & 0o777, 0o660);
  assert.equal(gid, process.getegid?.(), "without the group root's own stays");
});

test("listen() gives the socket to the group that is named", async (t) => {
  const lines = readFileSync("/etc/group", "utf8").trim().split("\n");
  const groups = lines.map((line) => ({
    name: line.split(":")[0],
    gid: Number(line.split(":")[2]),
  }));
  const { name = "", gid } = groups.find((group) => group.gid > 0) ?? assert.fail("no group");
  if (process.geteuid?.() !== 0) {
    await assert.rejects(serveApi(t, { group: name }), { code: "SOCKET_UNAVAILABLE" });
    return;
  }
  const { path, server } = await serveApi(t, { group: name });
  assert.deepEqual([statSync(path).uid, statSync(path).gid], [0, gid]);
  assert.equal(server.notice, null);
});

test("listen() notices a group that does not exist, and root may still ask", async (t) => {
  const { path, server } = await serveApi(t, { group: "no-such-group" });
  const detail = "/etc/group has no such group, so only root may";
  assert.equal(server.notice, `Cannot let group "no-such-group" use lbctl: ${detail}`);
  assert.equal((await rawRequest(path, "/v1/status")).status, 200);
});

test("notice is null before listen() has looked", (t) => {
  assert.equal(serverAt(t, join(tempDir(t), "lbd.sock")).notice, null);
});

/** Both ends of a connection, the client's made with the rights that `as` gives. */
async function connection(
  t: TestContext,
  as: (act: () => Socket) => Socket,
): Promise<{ server: Socket; client: Socket }> {
  const { promise, resolve } = Promise.withResolvers<Socket>();
  const path = await scriptedServer(t, resolve);
  chmodSync(dirname(path), 0o755);
  chmodSync(path, 0o666);
  const client = as(() => connect(path));
  t.after(() => client.destroy());
  return { server: await promise, client };
}

test("mayUse() admits everybody to read, and not nobody to change", async (t) => {
  const { server } = await connection(t, asNobody);
  assert.equal(mayUse({ access: "read" }, server), true);
  assert.equal(mayUse({ access: "change" }, server), false);
});

test("mayUse() admits root to change", async (t) => {
  const { server } = await connection(t, (act) => act());
  assert.equal(mayUse({ access: "change" }, server), process.geteuid?.() === 0);
});

test("mayUse() admits no connection to change that cannot be asked any more", async (t) => {
  const { server } = await connection(t, (act) => act());
  server.destroy();
  assert.equal(mayUse({ access: "change" }, server), false);
});

/** Listens, and then never accepts: its backlog fills up. */
const HANGS = `const path = process.argv[1];
require("node:net").createServer().listen(path, () => {
  console.log("up");
  setImmediate(() => { for (;;); });
});`;

test("listen() refuses the socket of a daemon that hangs with a full backlog", async (t) => {
  const path = join(tempDir(t), "lbd.sock");
  const stdio = ["ignore", "pipe", "inherit"] as const;
  const child = spawn(process.execPath, ["-e", HANGS, path], { stdio: [...stdio] });
  t.after(() => child.kill("SIGKILL"));
  assert.ok(child.stdout !== null);
  await once(child.stdout, "data");
  const full = Promise.withResolvers<void>();
  const sockets = Array.from({ length: 600 }, () =>
    connect(path).on("error", () => full.resolve()),
  );
  t.after(() => {
    for (const socket of sockets) socket.destroy();
  });
  await full.promise;
  await assert.rejects(serveApi(t, { path }), { code: "ALREADY_RUNNING" });
});

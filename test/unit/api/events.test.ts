// Tests of the event stream over a real socket: what is told, what a slow reader misses, how many
// may follow, and what the client says when the daemon ends or hangs.

import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { ApiClient } from "../../../src/api/client.ts";
import { EventReader } from "../../../src/api/event-reader.ts";
import type { StreamEvent } from "../../../src/api/types.ts";
import { HISTORY, type ServedApi, serveApi } from "../../support/fake-api-source.ts";
import { tempDir } from "../../support/temp-dir.ts";

const CHANGE: StreamEvent = { type: "change", change: HISTORY[0] ?? assert.fail("no row") };
const HEALTH: StreamEvent = { type: "health", health: "ok", findings: [] };

/** A reader that takes nothing but when it is told to. */
async function slowReader(t: TestContext, path: string): Promise<Socket> {
  const socket = connect(path);
  t.after(() => socket.destroy());
  await once(socket, "connect");
  socket.write("GET /v1/events HTTP/1.1\r\nhost: lbd\r\n\r\n");
  socket.pause();
  return socket;
}

async function untilFollowed({ source }: ServedApi, count = 1): Promise<void> {
  while (source.followers.size !== count) await new Promise((resolve) => setImmediate(resolve));
}

function tell({ source }: ServedApi, event: StreamEvent): void {
  for (const follower of source.followers) follower(event);
}

test("follow() gets each event in order, until it is aborted", async (t) => {
  const api = await serveApi(t);
  const seen: StreamEvent[] = [];
  const abort = new AbortController();
  const followed = new ApiClient(api.path).follow((event) => {
    seen.push(event);
    if (seen.length === 3) abort.abort();
  }, abort.signal);
  await untilFollowed(api);
  for (const event of [HEALTH, CHANGE, CHANGE]) tell(api, event);
  await followed;
  assert.deepEqual(seen, [HEALTH, CHANGE, CHANGE]);
  await untilFollowed(api, 0);
});

test("follow() ends with a word when the daemon ends", async (t) => {
  const api = await serveApi(t);
  const followed = new ApiClient(api.path).follow(() => {});
  await Promise.all([
    assert.rejects(followed, { code: "DAEMON_UNREACHABLE", message: /it hung up/ }),
    untilFollowed(api).then(() => api.server.close()),
  ]);
});

test("follow() ends with a word when the daemon says nothing any more", async (t) => {
  const path = join(tempDir(t), "lbd.sock");
  const hung = createServer(() => {}).listen(path);
  t.after(() => hung.close());
  await once(hung, "listening");
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const followed = new ApiClient(path).follow(() => {});
  await new Promise((resolve) => setImmediate(resolve));
  t.mock.timers.tick(15_000);
  await assert.rejects(followed, { code: "DAEMON_TIMEOUT" });
});

test("a reader that is too slow misses events, is told how many, and harms nobody", async (t) => {
  const api = await serveApi(t);
  const slow = await slowReader(t, api.path);
  await untilFollowed(api);
  const seen: StreamEvent[] = [];
  const abort = new AbortController();
  const followed = new ApiClient(api.path).follow((event) => void seen.push(event), abort.signal);
  await untilFollowed(api, 2);
  // Far more than the kernel's buffer and the server's take, in turns, so that the other keeps up.
  const all = 20_000;
  for (let told = 0; told < all; told += 100) {
    for (let n = 0; n < 100; n++) tell(api, CHANGE);
    await new Promise((resolve) => setImmediate(resolve));
  }
  while (seen.length < all) await new Promise((resolve) => setImmediate(resolve));
  const reader = new EventReader();
  const late: StreamEvent[] = [];
  slow.setEncoding("utf8");
  const caughtUp = new Promise<number>((resolve) => {
    slow.on("data", (chunk: string) => {
      for (const event of reader.take(chunk)) {
        if (event.type === "dropped") resolve(event.count);
        else late.push(event);
      }
    });
  });
  slow.resume();
  assert.equal((await caughtUp) + late.length, all);
  tell(api, HEALTH);
  while (late.at(-1)?.type !== "health") await new Promise((resolve) => setImmediate(resolve));
  abort.abort();
  await followed;
  assert.ok(seen.every((event) => event.type !== "dropped"));
});

test("who was too slow is told what is wrong as it is then", async (t) => {
  const api = await serveApi(t);
  const slow = await slowReader(t, api.path);
  await untilFollowed(api);
  for (let n = 0; n < 20_000; n++) tell(api, CHANGE);
  const ill: StreamEvent = { type: "health", health: "failing", findings: [] };
  tell(api, ill);
  const reader = new EventReader();
  slow.setEncoding("utf8");
  const last = new Promise<StreamEvent>((resolve) => {
    slow.on("data", (chunk: string) => {
      for (const event of reader.take(chunk)) if (event.type === "health") resolve(event);
    });
  });
  slow.resume();
  assert.deepEqual(await last, ill);
});

test("more than 256 readers are refused with a word, and there is room when some go", async (t) => {
  const api = await serveApi(t);
  const readers: Socket[] = [];
  for (let n = 0; n < 256; n++) readers.push(await slowReader(t, api.path));
  await untilFollowed(api, 256);
  const client = new ApiClient(api.path);
  const refused = { code: "REFUSED", message: /too many do already/ };
  await assert.rejects(
    client.follow(() => {}),
    refused,
  );
  for (const reader of readers) reader.destroy();
  await untilFollowed(api, 0);
  const abort = new AbortController();
  const followed = client.follow(() => {}, abort.signal);
  await untilFollowed(api);
  abort.abort();
  await followed;
});

test("EventReader puts events together from any chunks", () => {
  const [health, change] = [JSON.stringify(HEALTH), JSON.stringify(CHANGE)];
  const text = `event: health\ndata: ${health}\n\n: alive\n\ndata: ${change}\n\n`;
  for (const size of [1, 2, 7, 1_000]) {
    const reader = new EventReader();
    const seen: StreamEvent[] = [];
    for (let at = 0; at < text.length; at += size)
      seen.push(...reader.take(text.slice(at, at + size)));
    assert.deepEqual(seen, [HEALTH, CHANGE], `${size}`);
  }
});

test("EventReader refuses what is no JSON, and a line without end", () => {
  assert.throws(() => new EventReader().take("data: {\n"), SyntaxError);
  const reader = new EventReader();
  assert.throws(() => {
    for (let n = 0; n < 100; n++) reader.take("x".repeat(100_000));
  }, SyntaxError);
});

// Tests of the server of the metrics: what it answers, and what it does about a port that another
// process has.

import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server } from "node:net";
import type { TestContext } from "node:test";
import { test } from "node:test";
import { request } from "undici";
import { MetricsServer, type MetricsServerOptions } from "../../../src/metrics/server.ts";
import { eventually } from "../../lab/eventually.ts";

const ADDRESS = "127.0.0.1";

async function occupied(): Promise<{ server: Server; port: number }> {
  const server = createServer();
  server.listen(0, ADDRESS);
  await once(server, "listening");
  return { server, port: (server.address() as AddressInfo).port };
}

/** A port that nobody has just now. */
async function freePort(): Promise<number> {
  const { server, port } = await occupied();
  server.close();
  await once(server, "close");
  return port;
}

const CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8";

/** A server that runs until the end of the test; `problems` are those told, in order. */
function running(t: TestContext, port: number, changes: Partial<MetricsServerOptions> = {}) {
  const problems: (string | null)[] = [];
  const told = new EventTarget();
  const server = new MetricsServer({
    address: ADDRESS,
    port,
    answer: () => Promise.resolve({ contentType: CONTENT_TYPE, text: "lbd_vips 1\n" }),
    onProblem: (problem) => {
      problems.push(problem);
      told.dispatchEvent(new Event("problem"));
    },
    onError: (error) => assert.fail(String(error)),
    wait: () => assert.fail("the port is free"),
    ...changes,
  });
  const stop = new AbortController();
  const ended = server.run(stop.signal);
  t.after(async () => {
    stop.abort();
    await ended;
  });
  const nextProblem = () => once(told, "problem");
  return { server, problems, nextProblem, stop, ended };
}

/** Asks until the server listens, which it does soon. */
function ask(port: number, method: "GET" | "POST" | "HEAD", path: string) {
  return eventually("an answer", async () => {
    const answer = await request(`http://${ADDRESS}:${port}${path}`, { method, reset: true });
    return { ...answer, status: answer.statusCode, text: await answer.body.text() };
  });
}

test("MetricsServer answers GET /metrics with the text, in Prometheus' content type", async (t) => {
  const port = await freePort();
  running(t, port);
  for (const path of ["/metrics", "/metrics?name=x"]) {
    const { status, headers, text } = await ask(port, "GET", path);
    assert.deepEqual([status, text], [200, "lbd_vips 1\n"]);
    assert.equal(headers["content-type"], "text/plain; version=0.0.4; charset=utf-8");
  }
});

test("MetricsServer refuses other methods, and says which one it serves", async (t) => {
  const port = await freePort();
  running(t, port);
  for (const method of ["POST", "HEAD"] as const) {
    const { status, headers } = await ask(port, method, "/metrics");
    assert.deepEqual([status, headers.allow], [405, "GET"]);
  }
});

test("MetricsServer knows no other path", async (t) => {
  const port = await freePort();
  running(t, port);
  for (const path of ["/", "/metrics/", "/v1/status"]) {
    assert.equal((await ask(port, "GET", path)).status, 404, path);
  }
});

test("MetricsServer answers 500 when the text cannot be made, and goes on", async (t) => {
  const port = await freePort();
  const errors: unknown[] = [];
  const good = { contentType: CONTENT_TYPE, text: "good\n" };
  const texts = [() => Promise.reject(new Error("a bug")), () => Promise.resolve(good)];
  running(t, port, {
    answer: () => texts.shift()?.() ?? assert.fail("asked too often"),
    onError: (error) => errors.push(error),
  });
  assert.equal((await ask(port, "GET", "/metrics")).status, 500);
  assert.equal(String(errors), "Error: a bug");
  assert.equal((await ask(port, "GET", "/metrics")).text, "good\n");
});

test("MetricsServer names a port that is in use once, and takes it when it is free", async (t) => {
  const { server: other, port } = await occupied();
  const attempts: (() => void)[] = [];
  const wait = () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    attempts.push(resolve);
    told.dispatchEvent(new Event("attempt"));
    return promise;
  };
  const told = new EventTarget();
  const nextAttempt = () => once(told, "attempt");
  const first = nextAttempt();
  const { server, problems, nextProblem } = running(t, port, { wait });
  await first;
  const expected = `Cannot listen on ${ADDRESS} port ${port}: `;
  assert.ok(server.problem?.startsWith(expected), String(server.problem));
  const second = nextAttempt();
  attempts.pop()?.();
  await second;
  assert.equal(problems.length, 1, "the second attempt has nothing new to say");
  other.close();
  await once(other, "close");
  const isServed = nextProblem();
  attempts.pop()?.();
  await isServed;
  assert.deepEqual([server.problem, problems.length], [null, 2]);
  assert.equal((await ask(port, "GET", "/metrics")).status, 200);
});

test("MetricsServer that is told to stop lets go of its port, and of clients", async (t) => {
  const port = await freePort();
  const { stop, ended } = running(t, port);
  await ask(port, "GET", "/metrics");
  const client = connect(port, ADDRESS);
  client.write("GET /metrics HTTP/1.1\r\nhost: lbd\r\n\r\n");
  await once(client, "data");
  stop.abort();
  await Promise.all([ended, once(client, "close")]);
  await assert.rejects(request(`http://${ADDRESS}:${port}/metrics`), { code: "ECONNREFUSED" });
});

test("MetricsServer with port 0 serves nothing, names no problem, and ends", async (t) => {
  const { server, problems, stop, ended } = running(t, 0);
  stop.abort();
  await ended;
  assert.deepEqual([server.problem, problems], [null, []]);
});

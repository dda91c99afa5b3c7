// The API client on real connections: everything a sick, wrong or hostile server can do to it.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { wallMs } from "../../../src/core/time.ts";
import { ApiClient, type ApiClientOptions } from "../../../src/k8s-sync/client.ts";
import { loadKubeconfig } from "../../../src/k8s-sync/kubeconfig.ts";
import type { ApiFailure, ApiFailureKind, Outcome } from "../../../src/k8s-sync/outcome.ts";
import { eventually } from "../../lab/eventually.ts";
import { createCertificate, createTestPki } from "../../support/certificates.ts";
import { FakeApiServer, type FakeApiServerOptions } from "../../support/fake-api-server.ts";
import type { Fault } from "../../support/fake-api-server-faults.ts";
import {
  type FakeKubeconfigOptions,
  kubeconfigFor,
  kubeconfigText,
} from "../../support/fake-api-server-kubeconfig.ts";

const NODES = { method: "GET", path: "/api/v1/nodes" } as const;

interface WorldOptions {
  readonly server?: FakeApiServerOptions;
  readonly kubeconfig?: FakeKubeconfigOptions;
  readonly client?: ApiClientOptions;
}

async function world(t: TestContext, options: WorldOptions = {}) {
  const server = await FakeApiServer.start(options.server);
  const kubeconfig = kubeconfigFor(server, options.kubeconfig);
  const client = new ApiClient(kubeconfig, { timeoutMs: 300, ...options.client });
  t.after(async () => {
    await client.close();
    await server.stop();
  });
  return { server, client };
}

function failureOf(outcome: Outcome<unknown>): ApiFailure {
  if (outcome.ok) assert.fail("the request succeeded");
  return outcome.failure;
}

const FAULTS: readonly { name: string; fault: Fault; kind: ApiFailureKind; text: RegExp }[] = [
  { name: "HTML", fault: { kind: "html" }, kind: "not-json", text: /Sign in.*check "server"/ },
  {
    name: "HTML and 403",
    fault: { kind: "html", status: 403 },
    kind: "forbidden",
    text: /Sign in/,
  },
  { name: "nothing", fault: { kind: "empty" }, kind: "not-json", text: /an empty answer/ },
  { name: "204", fault: { kind: "empty", status: 204 }, kind: "not-json", text: /an empty answer/ },
  { name: "half a document", fault: { kind: "half-json" }, kind: "truncated", text: /breaks off/ },
  { name: "a cut stream", fault: { kind: "truncated" }, kind: "truncated", text: /in the middle/ },
  { name: "a reset", fault: { kind: "reset" }, kind: "unreachable", text: /cannot be reached/ },
  { name: "silence", fault: { kind: "silence" }, kind: "timeout", text: /within 300 ms/ },
  { name: "slowness", fault: { kind: "delay", ms: 400 }, kind: "timeout", text: /within 300 ms/ },
  {
    name: "a redirect",
    fault: { kind: "redirect", location: "https://login.example/" },
    kind: "not-json",
    text: /redirected \(302\) to "https:\/\/login\.example\/"/,
  },
  { name: "401", fault: { kind: "status", status: 401 }, kind: "unauthorized", text: /renew/ },
  { name: "403", fault: { kind: "status", status: 403 }, kind: "forbidden", text: /verb "list"/ },
  { name: "500", fault: { kind: "status", status: 500 }, kind: "server-error", text: /500/ },
];

for (const { name, fault, kind, text } of FAULTS) {
  test(`ApiClient.request() a server that answers ${name}`, async (t) => {
    const { server, client } = await world(t);
    server.fault({ fault, times: 1 });
    const failure = failureOf(await client.request(NODES));
    assert.equal(failure.kind, kind, failure.message);
    assert.match(failure.message, /^Cannot list nodes: /);
    assert.match(failure.message, text);
    // It wedges nothing: the next one is answered.
    assert.equal((await client.request(NODES)).ok, true);
  });
}

test("ApiClient.request() 429 with Retry-After", async (t) => {
  const { server, client } = await world(t);
  const headers = { "retry-after": "3" };
  server.fault({ fault: { kind: "status", status: 429, headers }, times: 1 });
  const failure = failureOf(await client.request(NODES));
  assert.equal(failure.kind, "throttled");
  assert.equal(failure.retryAfterMs, 3_000);
});

test("ApiClient.request() a missing permission is named", async (t) => {
  const { server, client } = await world(t);
  server.forbid("patch", "services/status");
  const path = "/api/v1/namespaces/a/services/web/status";
  const failure = failureOf(await client.request({ method: "PATCH", path, body: {} }));
  assert.equal(failure.kind, "forbidden");
  assert.match(failure.message, /allow the verb "patch" on the resource "services\/status"/);
});

test("ApiClient.request() nobody listens", async (t) => {
  const { server, client } = await world(t);
  await server.stop();
  const failure = failureOf(await client.request(NODES));
  assert.equal(failure.kind, "unreachable");
  assert.match(failure.message, /ECONNREFUSED/);
});

test("ApiClient.request() the caller's abort is prompt", async (t) => {
  const { server, client } = await world(t, { client: { timeoutMs: 60_000 } });
  server.fault({ fault: { kind: "silence" } });
  const stop = new AbortController();
  const asked = client.request({ ...NODES, signal: stop.signal });
  await eventually("the request", () => server.requests.length === 1);
  stop.abort();
  assert.equal(failureOf(await asked).kind, "unreachable");
});

test("ApiClient.request() an answer without end stops at the limit", async (t) => {
  const { server, client } = await world(t, { client: { bodyBytesMax: 10_000 } });
  server.put("/api/v1/nodes/n", { metadata: { name: "n", labels: { x: "y".repeat(20_000) } } });
  const failure = failureOf(await client.request(NODES));
  assert.equal(failure.kind, "too-large");
  assert.match(failure.message, /larger than the limit of 10000 bytes/);
});

test("ApiClient.request() a peer that died behind idle connections costs one wait", async (t) => {
  const { server, client } = await world(t);
  const many = Array.from({ length: 6 }, () => client.request(NODES));
  await Promise.all(many);
  server.freeze();
  failureOf(await client.request(NODES));
  server.thaw();
  const startedAt = performance.now();
  const outcomes = await Promise.all(Array.from({ length: 6 }, () => client.request(NODES)));
  assert.ok(outcomes.every((outcome) => outcome.ok));
  assert.ok(performance.now() - startedAt < 300);
});

test("ApiClient.watch() many watches do not make a request wait", async (t) => {
  const { server, client } = await world(t);
  const stop = new AbortController();
  const watches = Array.from({ length: 20 }, async () => {
    const request = { path: NODES.path, query: {}, idleTimeoutMs: 10_000 };
    for await (const _ of client.watch(request, stop.signal));
  });
  await eventually("the watches", () => server.openWatches === 20);
  assert.equal((await client.request(NODES)).ok, true);
  stop.abort();
  await Promise.all(watches);
  await eventually("their end", () => server.openWatches === 0);
});

test("ApiClient.watch() leaving the loop closes the connection", async (t) => {
  const { server, client } = await world(t);
  const request = { path: NODES.path, query: {}, idleTimeoutMs: 10_000 };
  for await (const message of client.watch(request, new AbortController().signal)) {
    assert.equal(message.type, "OPENED");
    break;
  }
  await eventually("the end", () => server.openWatches === 0);
});

test("ApiClient sends its version, JSON and what it was given", async (t) => {
  const { server, client } = await world(t, { client: { version: "1.2.3" } });
  const path = "/api/v1/namespaces/a/configmaps";
  const query = { dryRun: undefined, fieldValidation: "Strict", pretty: false };
  await client.request({ method: "POST", path, query, body: { metadata: { name: "ü" } } });
  const seen = server.requests[0];
  assert.equal(seen?.url, `${path}?fieldValidation=Strict&pretty=false`);
  assert.equal(seen?.headers["user-agent"], "lbd/1.2.3");
  assert.equal(seen?.headers["content-type"], "application/json");
  assert.deepEqual(seen?.body, { metadata: { name: "ü" } });
});

test("ApiClient a token that was renewed meanwhile is used at once", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "lbd-client-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, "token");
  writeFileSync(path, "old");
  const token = { kind: "file", path } as const;
  const { server, client } = await world(t, { server: { tokens: ["old"] }, kubeconfig: { token } });
  assert.equal((await client.request(NODES)).ok, true);
  server.tokens = ["new"];
  assert.equal(failureOf(await client.request(NODES)).kind, "unauthorized");
  writeFileSync(path, "new");
  assert.equal((await client.request(NODES)).ok, true);
  server.tokens = ["newer"];
  writeFileSync(path, "newer");
  const request = { path: NODES.path, query: {}, idleTimeoutMs: 1_000 };
  for await (const message of client.watch(request, new AbortController().signal)) {
    assert.equal(message.type, "OPENED");
    break;
  }
});

test("ApiClient a kubeconfig with a client certificate, from file to answer", async (t) => {
  const { ca, server: cert, client: user } = createTestPki();
  const server = await FakeApiServer.start({
    tls: { cert: cert.certPem, key: cert.keyPem, ca: ca.certPem },
    tokens: [],
  });
  const folder = mkdtempSync(join(tmpdir(), "lbd-client-"));
  const path = join(folder, "kubeconfig");
  const credentials = { ca: ca.certPem, cert: user.certPem, key: user.keyPem };
  writeFileSync(path, kubeconfigText(server, credentials));
  const client = new ApiClient(loadKubeconfig(path, { now: wallMs(Date.now()) }));
  t.after(async () => {
    rmSync(folder, { recursive: true });
    await client.close();
    await server.stop();
  });
  const outcome = await client.request(NODES);
  assert.equal(outcome.ok, true, outcome.ok ? "" : outcome.failure.message);
});

const YEAR_MS = 365 * 24 * 3600 * 1000;

test("ApiClient TLS that cannot be trusted says why", async (t) => {
  const { ca, server: good } = createTestPki();
  const other = createTestPki();
  const [from, until] = [new Date(Date.now() - YEAR_MS), new Date(Date.now() - 1000)];
  const expired = createCertificate({
    ...{ commonName: "api", issuer: ca, hosts: ["127.0.0.1"] },
    ...{ notBefore: from, notAfter: until },
  });
  const elsewhere = createCertificate({ commonName: "api", issuer: ca, hosts: ["api.example"] });
  const table = [
    { name: "expired", cert: expired, trust: ca, tls: {}, text: /CERT_HAS_EXPIRED.*renew/ },
    {
      name: "other authority",
      cert: good,
      trust: other.ca,
      tls: {},
      text: /certificate-authority/,
    },
    { name: "other name", cert: elsewhere, trust: ca, tls: {}, text: /tls-server-name/ },
    {
      name: "right name",
      cert: elsewhere,
      trust: ca,
      tls: { servername: "api.example" },
      text: null,
    },
    { name: "insecure", cert: expired, trust: other.ca, tls: { insecure: true }, text: null },
  ];
  for (const { name, cert, trust, tls, text } of table) {
    const server = await FakeApiServer.start({ tls: { cert: cert.certPem, key: cert.keyPem } });
    const kubeconfig = kubeconfigFor(server, {
      ca: trust.certPem,
      tls: { ca: trust.certPem, ...tls },
    });
    const client = new ApiClient(kubeconfig);
    t.after(async () => {
      await client.close();
      await server.stop();
    });
    const outcome = await client.request(NODES);
    assert.equal(outcome.ok, text === null, name);
    if (text === null) continue;
    assert.equal(failureOf(outcome).kind, "certificate", name);
    assert.match(failureOf(outcome).message, text, name);
  }
});

test("ApiClient https to a server that speaks no TLS, http to one that does", async (t) => {
  const plain = await FakeApiServer.start();
  const { server: cert } = createTestPki();
  const secure = await FakeApiServer.start({ tls: { cert: cert.certPem, key: cert.keyPem } });
  const urls = [plain.url.replace("http:", "https:"), secure.url.replace("https:", "http:")];
  const clients = urls.map((url) => new ApiClient(kubeconfigFor({ url })));
  t.after(() => Promise.all([...clients.map((c) => c.close()), plain.stop(), secure.stop()]));
  for (const client of clients) {
    assert.match(failureOf(await client.request(NODES)).kind, /^(certificate|unreachable)$/);
  }
});

/** Sends these bytes to whoever asks, and closes or not. */
async function rawServer(t: TestContext, bytes: string, close: boolean): Promise<string> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined);
    socket.once("data", () => (close ? socket.end(bytes) : socket.write(bytes)));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as { port: number }).port}`;
}

const HEAD = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n";
const GARBAGE: readonly { name: string; bytes: string; close: boolean }[] = [
  { name: "no HTTP", bytes: "SSH-2.0-OpenSSH_9.2\r\n", close: true },
  { name: "closes at once", bytes: "", close: true },
  { name: "half a header", bytes: "HTTP/1.1 200 O", close: false },
  { name: "lying length", bytes: `${HEAD}content-length: 5\r\n\r\n{"a":1}`, close: true },
  { name: "short body", bytes: `${HEAD}content-length: 50\r\n\r\n{"a":1}`, close: true },
  { name: "body that stalls", bytes: `${HEAD}content-length: 50\r\n\r\n{"a"`, close: false },
  { name: "bad chunk", bytes: `${HEAD}transfer-encoding: chunked\r\n\r\nzz\r\n`, close: true },
  {
    name: "no last chunk",
    bytes: `${HEAD}transfer-encoding: chunked\r\n\r\n2\r\n{}\r\n`,
    close: true,
  },
  {
    name: "endless header",
    bytes: `HTTP/1.1 200 OK\r\nx: ${"y".repeat(100_000)}\r\n`,
    close: false,
  },
];

for (const { name, bytes, close } of GARBAGE) {
  test(`ApiClient garbage on the wire is a value: ${name}`, async (t) => {
    const url = await rawServer(t, bytes, close);
    const client = new ApiClient(kubeconfigFor({ url }), {
      timeoutMs: 300,
      watchOpenTimeoutMs: 300,
    });
    t.after(() => client.close());
    const failure = failureOf(await client.request(NODES));
    assert.match(failure.kind, /^(unreachable|truncated|timeout|not-json)$/, failure.message);
    const request = { path: NODES.path, query: {}, idleTimeoutMs: 300 };
    const types: string[] = [];
    for await (const message of client.watch(request, new AbortController().signal)) {
      types.push(message.type);
    }
    assert.equal(types.at(-1), "FAILED");
  });
}

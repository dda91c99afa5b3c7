// Tests of the route table, asked over a real socket: every path, what is no path, and what cannot
// be answered.

import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { test } from "node:test";
import { ROUTES } from "../../../src/api/routes.ts";
import type { ApiErrorKind, CommandPath, ResourcePath } from "../../../src/api/types.ts";
import { SCHEMA } from "../../../src/api/types.ts";
import { VERSION } from "../../../src/core/version.ts";
import { BGP_PEERS, BGP_ROUTES } from "../../support/bgp-views.ts";
import {
  DRAIN,
  EXPLAINED,
  FRAMES,
  HISTORY,
  MOVES,
  NODES,
  PLAN,
  POOLS,
  SERVICES,
  SHADOW,
  STATUS,
  serveApi,
  VIPS,
  WIRE,
} from "../../support/fake-api-source.ts";
import { rawRequest } from "../../support/unix-sockets.ts";

interface RefusedRow {
  readonly name: string;
  readonly method?: string;
  readonly path: string;
  readonly status: number;
  readonly kind: ApiErrorKind;
  readonly message: string;
  /** The methods that are served, of a 405. */
  readonly allow?: string;
}

const noSuchPath = (path: string) => `Cannot find "${path}": no such path`;
const badLimit = (found: string) => `Cannot read "limit": found "${found}", expected 1 to 10000`;

const REFUSED: readonly RefusedRow[] = [
  ...["/", "/v1", "/v1/status/", "/v2/status", "/V1/STATUS", "/v1/%73tatus"].map((path) => ({
    name: `the unknown path ${path}`,
    path,
    status: 404,
    kind: "not-found" as const,
    message: noSuchPath(path),
  })),
  {
    name: "a path that looks like a host",
    path: "//v1/status",
    status: 404,
    kind: "not-found",
    message: noSuchPath("/status"),
  },
  {
    name: "a path that is no URL",
    path: "//[",
    status: 400,
    kind: "bad-request",
    message: "Cannot read the path",
  },
  ...["POST", "PUT", "DELETE", "PATCH"].map((method) => ({
    name: `${method} where only GET is`,
    method,
    path: "/v1/status",
    status: 405,
    kind: "method-not-allowed" as const,
    message: `Cannot ${method} "/v1/status": only GET is served`,
    allow: "GET",
  })),
  ...["GET", "PUT", "DELETE"].map((method) => ({
    name: `${method} where only POST is`,
    method,
    path: "/v1/move",
    status: 405,
    kind: "method-not-allowed" as const,
    message: `Cannot ${method} "/v1/move": only POST is served`,
    allow: "POST",
  })),
  ...["PUT", "DELETE", "PATCH"].map((method) => ({
    name: `${method} where GET and POST are`,
    method,
    path: "/v1/drain",
    status: 405,
    kind: "method-not-allowed" as const,
    message: `Cannot ${method} "/v1/drain": only GET and POST are served`,
    allow: "GET, POST",
  })),
  ...["0", "-1", "1.5", "10001", "many", "", "NaN", "Infinity"].map((limit) => ({
    name: `the limit "${limit}"`,
    path: `/v1/history?limit=${limit}`,
    status: 400,
    kind: "bad-request" as const,
    message: badLimit(limit),
  })),
  ...[
    ["/v1/explain", '"subject": it is missing'],
    ["/v1/explain?subject=", '"subject": found "", expected a Service or an address'],
    ["/v1/explain?Subject=x", '"subject": it is missing'],
    ["/v1/explain?subject=x&now=1", '"now": there is no such parameter'],
    ["/v1/status?verbose=1", '"verbose": there is no such parameter'],
    ["/v1/history?since=noon", '"since": found "noon", expected a time (RFC 3339)'],
  ].map(([path = "", what]) => ({
    name: `the parameters of ${path}`,
    path,
    status: 400,
    kind: "bad-request" as const,
    message: `Cannot read ${what}`,
  })),
  {
    name: "a subject that is not there",
    path: "/v1/explain?subject=shop%2Fnone",
    status: 404,
    kind: "not-found",
    message:
      'Cannot explain "shop/none": there is no Service of type LoadBalancer and no address of ' +
      'that name (a Service is written "namespace/name")',
  },
];

for (const { name, method, path, status, kind, message, allow } of REFUSED) {
  test(`ApiServer refuses ${name}`, async (t) => {
    const { path: socket, errors } = await serveApi(t);
    const answer = await rawRequest(socket, path, method);
    assert.equal(answer.status, status);
    assert.deepEqual(answer.body, { schema: SCHEMA, error: { kind, message } });
    assert.equal(answer.headers["x-lbd-version"], VERSION);
    assert.equal(answer.headers.allow, allow);
    assert.deepEqual(errors, [], "a refusal is no bug of the daemon");
  });
}

const ANSWERS: Readonly<Record<ResourcePath, object>> = {
  "/v1/status": { item: STATUS },
  "/v1/vips": { items: VIPS },
  "/v1/services": { items: SERVICES },
  "/v1/pools": { items: POOLS },
  "/v1/nodes": { items: NODES },
  "/v1/bgp/peers": { items: BGP_PEERS },
  "/v1/bgp/routes": { items: BGP_ROUTES },
  "/v1/history": { items: HISTORY },
  "/v1/explain": { item: EXPLAINED },
  "/v1/drain": { item: DRAIN },
  "/v1/frames": { item: FRAMES },
  "/v1/plan/rebalance": { items: MOVES },
  "/v1/plan/shadow": { item: SHADOW },
};
/** Those whose answers are not what the daemon says in the usual envelope. */
const OTHERWISE: readonly string[] = ["/v1/events", "/v1/openapi.json"];
const READ = ROUTES.filter(({ method, path }) => method === "GET" && !OTHERWISE.includes(path));

/** By path: what is sent, what the daemon is asked for, and what is answered. */
const COMMANDS: Readonly<Record<CommandPath, readonly [object, string, object]>> = {
  "/v1/drain": [{ force: true }, "drain true", { item: DRAIN }],
  "/v1/undrain": [{}, "undrain", { item: DRAIN }],
  "/v1/move": [{ address: "10.0.0.10", node: "n2" }, "move 10.0.0.10 n2", { item: MOVES[0] }],
  "/v1/rebalance": [{}, "rebalance", { items: MOVES }],
  "/v1/wire/who": [{ address: "10.0.0.10" }, "who 10.0.0.10", { item: WIRE }],
  "/v1/plan/config": [
    { files: [{ name: "a.yaml", text: "x" }], replace: true },
    "plan config a.yaml replace",
    { item: PLAN },
  ],
};
const CHANGE = ROUTES.filter((route) => route.method === "POST");
/** Sent, as it is too long for a path, and changes nothing. */
const QUESTIONS: readonly string[] = ["/v1/plan/config", "/v1/wire/who"];

for (const path of READ.map((route) => route.path as ResourcePath)) {
  const method = "GET";
  test(`${method} ${path} answers with the schema and what the daemon says`, async (t) => {
    const { path: socket, source } = await serveApi(t);
    const query = path === "/v1/explain" ? "?subject=shop/web" : "";
    const answer = await rawRequest(socket, `${path}${query}`, method);
    assert.equal(answer.status, 200);
    assert.equal(answer.headers["content-type"], "application/json");
    assert.equal(answer.headers["x-lbd-version"], VERSION);
    assert.deepEqual(answer.body, { schema: SCHEMA, ...ANSWERS[path] });
    assert.equal(source.asked[0], "refresh", "what other threads know is fetched first");
  });
}

test("ROUTES has each path of the contract once, and what changes something is root's", () => {
  assert.deepEqual(READ.map((route) => route.path).sort(), Object.keys(ANSWERS).sort());
  assert.deepEqual(CHANGE.map((route) => route.path).sort(), Object.keys(COMMANDS).sort());
  assert.deepEqual(new Set(READ.map((route) => route.access)), new Set(["read"]));
  const accessOf = ({ path }: { path: string }) => (QUESTIONS.includes(path) ? "read" : "change");
  assert.deepEqual(
    CHANGE.map((route) => route.access),
    CHANGE.map(accessOf),
  );
});

for (const [path, [body, asked, expected]] of Object.entries(COMMANDS)) {
  test(`POST ${path} has the daemon do it, and answers what comes of it`, async (t) => {
    const { path: socket, commands, source } = await serveApi(t);
    const answer = await rawRequest(socket, path, "POST", JSON.stringify(body));
    assert.deepEqual(answer.body, { schema: SCHEMA, ...expected });
    const all = [...commands.asked, ...source.asked.filter((question) => question !== "refresh")];
    assert.deepEqual([answer.status, all], [200, [asked]]);
  });
}

const BAD_BODIES: readonly (readonly [name: string, path: string, body: string, words: RegExp])[] =
  [
    ["no JSON", "/v1/drain", "{", /^Cannot read the body: it is not JSON$/],
    ["a list", "/v1/drain", "[]", /^Cannot read the body: /],
    ["an unknown field", "/v1/drain", '{"forced": true}', /^Cannot read the body: .*"forced"/],
    ["a field of another type", "/v1/drain", '{"force": 1}', /^Cannot read "force": /],
    ["no address", "/v1/move", '{"node": "n2"}', /^Cannot read "address": /],
    ["an empty node", "/v1/move", '{"address": "10.0.0.10", "node": ""}', /^Cannot read "node": /],
    ["null", "/v1/undrain", "null", /^Cannot read the body: .*null/],
    ["white space", "/v1/undrain", " ", /^Cannot read the body: it is not JSON$/],
    ["two values", "/v1/undrain", "{}{}", /^Cannot read the body: it is not JSON$/],
    ["no files", "/v1/plan/config", '{"files": []}', /^Cannot read "files": /],
    ["anything for a rebalancing", "/v1/rebalance", '{"node": "n1"}', /^Cannot read the body: /],
    [
      "megabytes that come one after the other",
      "/v1/drain",
      `{"force": "${"x".repeat(4_000_000)}"}`,
      /^Cannot read the body: it is longer than 1572864 bytes$/,
    ],
    [
      "more than the limit",
      "/v1/drain",
      `{"force": "${"x".repeat(1_600_000)}"}`,
      /^Cannot read the body: it is longer than 1572864 bytes$/,
    ],
  ];
for (const [name, path, body, words] of BAD_BODIES) {
  test(`POST ${path} refuses a body with ${name}, and nothing is done`, async (t) => {
    const { path: socket, commands } = await serveApi(t);
    const answer = await rawRequest(socket, path, "POST", body);
    const { error } = answer.body as { error: { kind: string; message: string } };
    assert.deepEqual([answer.status, error.kind, commands.asked], [400, "bad-request", []]);
    assert.match(error.message, words);
  });
}

for (const [path, asked] of [
  ["/v1/drain", "drain false"],
  ["/v1/undrain", "undrain"],
  ["/v1/rebalance", "rebalance"],
] as const) {
  test(`POST ${path} without a body asks for "${asked}"`, async (t) => {
    const { path: socket, commands } = await serveApi(t);
    assert.equal((await rawRequest(socket, path, "POST")).status, 200);
    assert.deepEqual(commands.asked, [asked]);
  });
}

test("a client that hangs up within its body is no bug, and nothing is done", async (t) => {
  const { path: socket, commands, errors, source } = await serveApi(t);
  const client = connect(socket);
  client.write("POST /v1/drain HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{");
  client.end();
  client.resume();
  await once(client, "close");
  assert.equal((await rawRequest(socket, "/v1/status")).status, 200);
  assert.deepEqual([commands.asked, errors, source.asked], [[], [], ["refresh", "status"]]);
});

test("GET /v1/frames is refused in words while the responder thread does not answer", async (t) => {
  const { path: socket, source } = await serveApi(t);
  source.framesView = null;
  const answer = await rawRequest(socket, "/v1/frames");
  const message = "Cannot show the last frames: the responder thread does not answer in time";
  assert.equal(answer.status, 409);
  assert.deepEqual(answer.body, { schema: SCHEMA, error: { kind: "refused", message } });
});

test("POST /v1/move says why it is refused", async (t) => {
  const { path: socket, commands } = await serveApi(t);
  commands.refusal = { ok: false, kind: "refused", message: "Cannot move it: no" };
  const body = JSON.stringify({ address: "10.0.0.10", node: "n2" });
  const answer = await rawRequest(socket, "/v1/move", "POST", body);
  const error = { kind: "refused", message: "Cannot move it: no" };
  assert.deepEqual([answer.status, answer.body], [409, { schema: SCHEMA, error }]);
});

const HISTORY_QUERIES: readonly (readonly [query: string, asked: string])[] = [
  ["", "history all 100"],
  ["?limit=1", "history all 1"],
  ["?limit=10000", "history all 10000"],
  ["?address=10.0.0.10&limit=5", "history 10.0.0.10 5"],
  ["?address=2001%3Adb8%3A%3A1", "history 2001:db8::1 100"],
  ["?node=n1", "history all 100 of n1"],
  ["?since=2026-01-02T03:04:05Z&limit=7", "history all 7 since 2026-01-02T03:04:05.000Z"],
];

test("GET /v1/history since no time is a bad request", async (t) => {
  const { path } = await serveApi(t);
  const answer = await rawRequest(path, "/v1/history?since=yesterday");
  const message = 'Cannot read "since": found "yesterday", expected a time (RFC 3339)';
  const error = { kind: "bad-request", message };
  assert.deepEqual([answer.status, answer.body], [400, { schema: SCHEMA, error }]);
});

for (const [query, asked] of HISTORY_QUERIES) {
  test(`GET /v1/history${query} asks for "${asked}"`, async (t) => {
    const { path, source } = await serveApi(t);
    assert.equal((await rawRequest(path, `/v1/history${query}`)).status, 200);
    assert.deepEqual(source.asked, ["refresh", asked]);
  });
}

const THROWN: readonly (readonly [name: string, thrown: unknown, message: string])[] = [
  ["an error", new Error("no such table"), "Cannot answer: no such table"],
  ["a text", "out of cheese", "Cannot answer: out of cheese"],
];

for (const [name, thrown, message] of THROWN) {
  test(`a handler that throws ${name} is "internal", is logged, and breaks nothing`, async (t) => {
    const { path, source, errors } = await serveApi(t);
    source.thrown = thrown;
    const answer = await rawRequest(path, "/v1/vips");
    assert.equal(answer.status, 500);
    assert.deepEqual(answer.body, { schema: SCHEMA, error: { kind: "internal", message } });
    assert.deepEqual(errors, [thrown]);
    source.thrown = undefined;
    assert.equal((await rawRequest(path, "/v1/vips")).status, 200);
  });
}

test('an answer that is no JSON, or a refresh that fails, is "internal" too', async (t) => {
  const { path, source, errors } = await serveApi(t);
  source.statusView = { ...STATUS, counters: { big: 1n as unknown as number } };
  assert.equal((await rawRequest(path, "/v1/status")).status, 500);
  source.refresh = () => Promise.reject(new Error("the thread is gone"));
  const answer = await rawRequest(path, "/v1/nodes");
  const message = "Cannot answer: the thread is gone";
  assert.deepEqual(answer.body, { schema: SCHEMA, error: { kind: "internal", message } });
  assert.equal(errors.length, 2);
});

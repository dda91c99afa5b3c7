// What each answer and each error of a connection is taken for, and that its text tells the
// operator what to do.

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  classifyAnswer,
  classifyThrown,
  classifyWatchError,
  parseBody,
} from "../../../src/k8s-sync/classify.ts";
import { describeRequest, type RequestTarget } from "../../../src/k8s-sync/describe.ts";
import {
  type ApiFailure,
  type ApiFailureKind,
  isRefusal,
  isRetryable,
  needsRelist,
} from "../../../src/k8s-sync/outcome.ts";

const LIST: RequestTarget = { method: "GET", path: "/api/v1/services", query: { limit: 500 } };
const HTML = "<html><body><h1>502 Bad Gateway</h1></body></html>";

function status(code: number, reason: string, message: string): string {
  return JSON.stringify({ kind: "Status", status: "Failure", code, reason, message });
}

const ANSWERS: readonly {
  name: string;
  status: number;
  body: string;
  headers?: Record<string, string>;
  kind: ApiFailureKind;
  retryAfterMs?: number;
  text?: RegExp;
}[] = [
  { name: "HTML with 502", status: 502, body: HTML, kind: "server-error", text: /502 Bad Gateway/ },
  {
    name: "nothing with 500",
    status: 500,
    body: "",
    kind: "server-error",
    text: /an empty answer/,
  },
  { name: "JSON null with 404", status: 404, body: "null", kind: "not-found" },
  {
    name: "redirect",
    status: 302,
    body: "",
    headers: { location: "https://sso.example/login" },
    kind: "not-json",
    text: /"https:\/\/sso\.example\/login", which is not followed/,
  },
  { name: "400", status: 400, body: status(400, "BadRequest", "bad"), kind: "invalid" },
  {
    name: "401",
    status: 401,
    body: status(401, "Unauthorized", "Unauthorized"),
    kind: "unauthorized",
    text: /token or client certificate/,
  },
  {
    name: "403",
    status: 403,
    body: status(403, "Forbidden", 'User "lbd" cannot list resource "services"'),
    kind: "forbidden",
    text: /User "lbd" cannot list.*verb "list" on the resource "services"/,
  },
  { name: "404", status: 404, body: status(404, "NotFound", "x not found"), kind: "not-found" },
  { name: "405", status: 405, body: "", kind: "invalid" },
  { name: "408", status: 408, body: "", kind: "timeout" },
  {
    name: "409 of a stale write",
    status: 409,
    body: status(409, "Conflict", "m"),
    kind: "conflict",
  },
  {
    name: "409 of a create",
    status: 409,
    body: status(409, "AlreadyExists", "m"),
    kind: "already-exists",
  },
  { name: "409 without a Status", status: 409, body: HTML, kind: "conflict" },
  { name: "410", status: 410, body: status(410, "Expired", "too old"), kind: "gone" },
  { name: "413", status: 413, body: "", kind: "too-large" },
  {
    name: "422",
    status: 422,
    body: status(422, "Invalid", "spec.x: Required"),
    kind: "invalid",
    text: /spec\.x: Required/,
  },
  { name: "429 without Retry-After", status: 429, body: "", kind: "throttled" },
  {
    name: "429 in seconds",
    status: 429,
    body: "",
    headers: { "retry-after": "7" },
    kind: "throttled",
    retryAfterMs: 7_000,
  },
  {
    name: "429 with a date",
    status: 429,
    body: "",
    headers: {
      "retry-after": "Wed, 21 Oct 2015 07:28:30 GMT",
      date: "Wed, 21 Oct 2015 07:28:00 GMT",
    },
    kind: "throttled",
    retryAfterMs: 30_000,
  },
  {
    name: "429 with nonsense",
    status: 429,
    body: "",
    headers: { "retry-after": "soon" },
    kind: "throttled",
  },
  {
    name: "503 with Retry-After",
    status: 503,
    body: "",
    headers: { "retry-after": "1" },
    kind: "server-error",
    retryAfterMs: 1_000,
  },
  { name: "504", status: 504, body: status(504, "Timeout", "slow"), kind: "server-error" },
];

for (const row of ANSWERS) {
  test(`classifyAnswer() ${row.name}`, () => {
    const answer = { status: row.status, headers: row.headers ?? {}, body: row.body };
    const failure = classifyAnswer(LIST, answer);
    assert.equal(failure.kind, row.kind);
    assert.equal(failure.status, row.status);
    assert.equal(failure.retryAfterMs, row.retryAfterMs);
    assert.match(failure.message, /^Cannot list services: /);
    assert.doesNotMatch(failure.message, /[<>\n]|\.$/);
    if (row.text !== undefined) assert.match(failure.message, row.text);
  });
}

test("classifyAnswer() quotes an endless answer in part", () => {
  const failure = classifyAnswer(LIST, { status: 500, headers: {}, body: "x".repeat(100_000) });
  assert.ok(failure.message.length < 500);
});

test("classifyAnswer() asks for the right rule after a 403 on a subresource of a group", () => {
  const target = { method: "PATCH", path: "/apis/metallb.io/v1beta1/namespaces/n/pools/p/status" };
  const failure = classifyAnswer(target, { status: 403, headers: {}, body: "" });
  assert.match(
    failure.message,
    /"patch" on the resource "pools\/status" of API group "metallb\.io"/,
  );
});

function thrown(code: string, message = code): Error {
  return Object.assign(new Error(message), { code });
}

const THROWN: readonly { name: string; error: unknown; during?: "body"; kind: ApiFailureKind }[] = [
  { name: "nothing at all", error: undefined, kind: "unreachable" },
  { name: "refused", error: thrown("ECONNREFUSED"), kind: "unreachable" },
  { name: "no route", error: thrown("EHOSTUNREACH"), kind: "unreachable" },
  { name: "no such host", error: thrown("ENOTFOUND"), kind: "unreachable" },
  { name: "connect timeout", error: thrown("UND_ERR_CONNECT_TIMEOUT"), kind: "unreachable" },
  { name: "closed before the answer", error: thrown("UND_ERR_SOCKET"), kind: "unreachable" },
  {
    name: "closed in the answer",
    error: thrown("UND_ERR_SOCKET"),
    during: "body",
    kind: "truncated",
  },
  { name: "silence", error: thrown("UND_ERR_HEADERS_TIMEOUT"), kind: "timeout" },
  { name: "clock in the past", error: thrown("CERT_NOT_YET_VALID"), kind: "certificate" },
  { name: "expired server certificate", error: thrown("CERT_HAS_EXPIRED"), kind: "certificate" },
  {
    name: "unknown authority",
    error: thrown("UNABLE_TO_VERIFY_LEAF_SIGNATURE"),
    kind: "certificate",
  },
  { name: "self-signed", error: thrown("DEPTH_ZERO_SELF_SIGNED_CERT"), kind: "certificate" },
  { name: "other name", error: thrown("ERR_TLS_CERT_ALTNAME_INVALID"), kind: "certificate" },
  {
    name: "plain HTTP behind https",
    error: thrown("ERR_SSL_WRONG_VERSION_NUMBER"),
    kind: "certificate",
  },
  {
    name: "wrapped",
    error: new TypeError("fetch failed", { cause: thrown("CERT_HAS_EXPIRED") }),
    kind: "certificate",
  },
  {
    name: "every address tried",
    error: new AggregateError([thrown("ECONNREFUSED"), thrown("EHOSTUNREACH")]),
    kind: "unreachable",
  },
];

for (const row of THROWN) {
  test(`classifyThrown() ${row.name}`, () => {
    const options = { server: "https://api:6443", during: row.during ?? "headers" } as const;
    const failure = classifyThrown(LIST, row.error, options);
    assert.equal(failure.kind, row.kind);
    assert.match(failure.message, /^Cannot list services: .*"https:\/\/api:6443"/);
  });
}

const BODIES: readonly { name: string; body: string; kind: ApiFailureKind | null }[] = [
  { name: "nothing", body: "", kind: "not-json" },
  { name: "HTML", body: HTML, kind: "not-json" },
  { name: "a number", body: "5", kind: "not-json" },
  { name: "null", body: "null", kind: "not-json" },
  { name: "half an object", body: '{"items":[{"metadata', kind: "truncated" },
  { name: "an object", body: '{"items":[]}', kind: null },
];

for (const row of BODIES) {
  test(`parseBody() ${row.name}`, () => {
    const outcome = parseBody(LIST, { status: 200, headers: {}, body: row.body });
    assert.equal(outcome.ok ? null : outcome.failure.kind, row.kind);
  });
}

test("classifyWatchError() is never surprised", () => {
  for (const object of [undefined, null, 5, "x", [], {}, { kind: "Status", code: "a" }]) {
    assert.equal(classifyWatchError(LIST, object).kind, "server-error");
  }
  const gone = { kind: "Status", code: 410, reason: "Expired", message: "too old" };
  assert.equal(classifyWatchError(LIST, gone).kind, "gone");
});

test("describeRequest() uses the words of RBAC", () => {
  const table: [RequestTarget, string][] = [
    [{ method: "GET", path: "/" }, "list /"],
    [LIST, "list services"],
    [{ ...LIST, query: { watch: true } }, "watch services"],
    [{ method: "GET", path: "/api/v1/nodes/n1" }, 'get nodes "n1"'],
    [{ method: "GET", path: "/api/v1/namespaces/a" }, 'get namespaces "a"'],
    [
      { method: "PATCH", path: "/api/v1/namespaces/a/services/web/status" },
      'patch services/status "web" in namespace "a"',
    ],
    [
      { method: "POST", path: "/apis/coordination.k8s.io/v1/namespaces/lbd-system/leases" },
      'create leases in namespace "lbd-system"',
    ],
    [{ method: "GET", path: "/api/v1/nodes/%zz" }, 'get nodes "%zz"'],
  ];
  for (const [target, text] of table) assert.equal(describeRequest(target).text, text);
});

test("failures decide in one place about retries and relists", () => {
  const failure = (kind: ApiFailureKind, message = ""): ApiFailure => ({ kind, message });
  assert.equal(isRetryable(failure("invalid")), false);
  assert.equal(isRetryable(failure("forbidden")), true);
  assert.equal(isRefusal(failure("forbidden")), true);
  assert.equal(isRefusal(failure("unauthorized")), false);
  assert.equal(isRefusal(failure("throttled")), false);
  assert.equal(needsRelist(failure("gone")), true);
  assert.equal(needsRelist(failure("not-found")), true);
  assert.equal(needsRelist(failure("server-error")), false);
  assert.equal(needsRelist(failure("server-error", "Too large resource version: 9")), true);
});

// The Secret of the beacons' key: what is a key, what is damaged, and the requests.

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  createBeaconSecret,
  decodeBeaconSecret,
  readBeaconSecret,
} from "../../../src/k8s-sync/beacon-secret.ts";
import type { ApiRequest, ApiRequests } from "../../../src/k8s-sync/client.ts";
import { failed, type Outcome, success } from "../../../src/k8s-sync/outcome.ts";

const A = new Uint8Array(32).fill(0xa5);
const B = Uint8Array.from({ length: 32 }, (_, n) => n * 8);

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("base64");
}

function secret(data: unknown): unknown {
  const metadata = { name: "lbd-beacon-key", namespace: "lbd-system", resourceVersion: "7" };
  return { apiVersion: "v1", kind: "Secret", metadata, type: "Opaque", data };
}

const GOOD: readonly (readonly [string, unknown, Uint8Array | null])[] = [
  ["one key", { current: base64(A) }, null],
  ["two keys", { current: base64(A), previous: base64(B) }, B],
  ["entries of others", { current: base64(A), note: "aGVsbG8=" }, null],
];

for (const [name, data, previous] of GOOD) {
  test(`decodeBeaconSecret() reads ${name}`, () => {
    const keys = { current: A, previous };
    assert.deepEqual(decodeBeaconSecret(secret(data)), { kind: "keys", keys });
  });
}

const SHORT = base64(A.subarray(1));

const DAMAGED: readonly (readonly [string, unknown, string])[] = [
  ["nothing", undefined, 'has no "current"'],
  ["no current", { previous: base64(A) }, 'has no "current"'],
  ["a current that is no text", { current: 7 }, 'has no "current"'],
  ["an empty current", { current: "" }, '"current" has 0 bytes instead of 32'],
  ["a short current", { current: SHORT }, '"current" has 31 bytes instead of 32'],
  [
    "base64 of base64",
    { current: base64(Buffer.from(base64(A))) },
    '"current" has 44 bytes instead of 32',
  ],
  ["no base64", { current: "x".repeat(43) }, '"current" is not base64'],
  [
    "a short previous",
    { current: base64(A), previous: SHORT },
    '"previous" has 31 bytes instead of 32',
  ],
];

for (const [name, data, what] of DAMAGED) {
  test(`decodeBeaconSecret() says what is damaged: ${name}`, () => {
    const start = 'Cannot use the key for beacons in the Secret "lbd-system/lbd-beacon-key": ';
    assert.deepEqual(decodeBeaconSecret(secret(data)), { kind: "damaged", problem: start + what });
  });
}

test("decodeBeaconSecret() never throws, and quotes nothing of what it read", () => {
  fc.assert(
    fc.property(fc.anything(), (raw) => {
      decodeBeaconSecret(raw);
      decodeBeaconSecret(secret(raw));
    }),
  );
  fc.assert(
    fc.property(fc.string({ minLength: 12 }), (text) => {
      const read = decodeBeaconSecret(secret({ current: text }));
      assert.ok(read !== null && read.kind === "damaged" && !read.problem.includes(text));
    }),
  );
});

/** Answers with what it was given, and keeps what it was asked. */
class OneAnswer implements ApiRequests {
  readonly asked: ApiRequest[] = [];
  readonly #answer: Outcome<unknown>;

  constructor(answer: Outcome<unknown>) {
    this.#answer = answer;
  }

  async request<T>(request: ApiRequest): Promise<Outcome<T>> {
    this.asked.push(request);
    return this.#answer as Outcome<T>;
  }
}

test("readBeaconSecret() gets the one Secret by its name", async () => {
  const client = new OneAnswer(success(secret({ current: base64(A) })));
  const read = await readBeaconSecret(client, "lbd-system", { timeoutMs: 9 });
  assert.deepEqual(read, success({ kind: "keys", keys: { current: A, previous: null } }));
  const path = "/api/v1/namespaces/lbd-system/secrets/lbd-beacon-key";
  assert.deepEqual(client.asked, [{ method: "GET", path, timeoutMs: 9 }]);
});

test("readBeaconSecret() passes failures on, and refuses what is no object", async () => {
  const missing = failed("not-found", "gone");
  assert.deepEqual(await readBeaconSecret(new OneAnswer(missing), "lbd-system"), missing);
  const odd = await readBeaconSecret(new OneAnswer(success({ hello: 1 })), "lbd-system");
  assert.ok(!odd.ok);
  assert.equal(odd.failure.kind, "not-json");
});

test("createBeaconSecret() posts an Opaque Secret that decodes to the key", async () => {
  const client = new OneAnswer(success({}));
  assert.deepEqual(await createBeaconSecret(client, "lbd-system", A), success(null));
  const [{ method, path, body } = assert.fail("not asked")] = client.asked;
  assert.deepEqual([method, path], ["POST", "/api/v1/namespaces/lbd-system/secrets"]);
  assert.equal((body as { type: unknown }).type, "Opaque");
  const keys = { current: A, previous: null };
  assert.deepEqual(decodeBeaconSecret(body), { kind: "keys", keys });
});

test("createBeaconSecret() of one that is there: already-exists", async () => {
  const there = failed("already-exists", "there");
  assert.deepEqual(await createBeaconSecret(new OneAnswer(there), "lbd-system", A), there);
});

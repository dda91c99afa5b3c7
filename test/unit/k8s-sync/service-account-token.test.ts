// Tests of what a token says of itself: bad ones first, which are all the same to the daemon.

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { tokenClaims } from "../../../src/k8s-sync/service-account-token.ts";

const CLAIMS = { sub: "system:serviceaccount:lbd-system:lbd-node-n1", iat: 1_000, exp: 4_600 };

function token(claims: unknown): string {
  return `x.${Buffer.from(JSON.stringify(claims)).toString("base64url")}.y`;
}

for (const [name, text] of [
  ["nothing", ""],
  ["no JWT", "abc"],
  ["no JSON", "a.!!!.c"],
  ["a number", token(5)],
  ["a user", token({ ...CLAIMS, sub: "jane" })],
  ["no end", token({ sub: CLAIMS.sub, iat: 1 })],
  ["an end before its beginning", token({ ...CLAIMS, exp: 1_000 })],
] as const) {
  test(`tokenClaims() of ${name} is null`, () => {
    assert.equal(tokenClaims(text), null);
  });
}

test("tokenClaims() never throws", () => {
  fc.assert(fc.property(fc.string(), (text) => tokenClaims(`a.${text}.b`) === null || true));
  fc.assert(fc.property(fc.jsonValue(), (value) => tokenClaims(token(value)) === null || true));
});

test("tokenClaims() of a service account's, bound to a Node and not", () => {
  const plain = {
    namespace: "lbd-system",
    account: "lbd-node-n1",
    issuedAt: 1_000_000,
    expiresAt: 4_600_000,
    nodeUid: null,
  };
  assert.deepEqual(tokenClaims(token(CLAIMS)), plain);
  const bound = { ...CLAIMS, "kubernetes.io": { node: { name: "n1", uid: "u" } } };
  assert.deepEqual(tokenClaims(token(bound)), { ...plain, nodeUid: "u" });
});

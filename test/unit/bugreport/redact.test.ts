// Tests of the redaction: what is known goes in whatever form it stands, what looks like a secret
// goes, and the rest stays.

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { parse } from "yaml";
import { Redactor } from "../../../src/bugreport/redact.ts";
import { redactKubeconfig } from "../../../src/bugreport/redact-kubeconfig.ts";
import { formsOf } from "../../../src/bugreport/secrets.ts";

const KEY = `-----BEGIN EC PRIVATE KEY-----
MHcCAQEEIIrYSSNQFaA2Hwf1duRSxKtLYX5CB04fSeQ6tF1aY/PuoAoGCCqGSM49
AwEHoUQDQgAEPR3tU2Fta9ktY+6P9G0cWO+0kETA6SFs38GecTyudlHz6xvCdz8q
-----END EC PRIVATE KEY-----`;
const JWT = "eyJhbGciOiJSUzI1NiIsImtpZCI6IkEifQ.eyJzdWIiOiJsYmQiLCJleHAiOjF9.c2lnbmF0dXJl";
const base64 = (text: string) => Buffer.from(text).toString("base64");

/** What must not be left of each. */
const REDACTED: readonly (readonly [name: string, text: string, secret: string])[] = [
  ["a private key", `a\n${KEY}\nb`, "MHcCAQEEII"],
  ["a private key in JSON", JSON.stringify({ a: KEY }), "MHcCAQEEII"],
  ["a private key that was cut off", `a\n${KEY.slice(0, 70)}`, "MHcCAQEEII"],
  ["a private key in base64", `x: ${base64(KEY)}`, base64(KEY).slice(30, 60)],
  ["a token", `Cannot use ${JWT}: expired`, JWT.slice(0, 30)],
  ["a token without signature", `got ${JWT.split(".").slice(0, 2).join(".")}`, "eyJzdWIi"],
  ["a header", "authorization: Bearer 0123456789abcdef", "0123456789abcdef"],
  ["basic authentication", "Basic dXNlcjpwYXNz", "dXNlcjpwYXNz"],
  ["a password in a URL", "https://admin:hunter22@10.0.0.1:6443/x", "hunter22"],
  ["a password in YAML", "password: hunter22", "hunter22"],
  ["a password in quotes", 'db_password = "hunter 22"', "hunter 22"],
  ["a password in JSON", '{"password":"hunter22","a":1}', "hunter22"],
  ["a variable of the environment", "Environment=API_KEY=hunter22", "hunter22"],
];

for (const [name, text, secret] of REDACTED) {
  test(`redact() takes out ${name}, unknown as it is`, () => {
    assert.ok(text.includes(secret), "the row is as it should be");
    const redactor = new Redactor([]);
    const clean = redactor.redact(text);
    assert.ok(!clean.includes(secret), clean);
    assert.match(clean, /\[redacted/);
    assert.ok([...redactor.counts().values()].some((count) => count > 0));
  });
}

const CERTIFICATE = "-----BEGIN CERTIFICATE-----\nMIIBszCCAVmgAwIBAgIB\n-----END CERTIFICATE-----";
const KEPT: readonly (readonly [name: string, text: string])[] = [
  ["the path of a token", "tokenFile: /etc/lbd/token"],
  ["a certificate", CERTIFICATE],
  ["a certificate in base64", `certificate-authority-data: ${base64(CERTIFICATE)}`],
  ["the name of a Secret", 'get secrets "lbd-beacon-key" in lbd-system'],
  ["a URL", "https://10.0.0.1:6443/api/v1/services?limit=500"],
  ["a MAC and an address", "192.168.100.50 is at 02:00:00:00:64:0b"],
  ["that there is none", '{"token": null}'],
  ["a counter", 'lbd_beacon_drops_total{reason="bad-key"} 3'],
];

for (const [name, text] of KEPT) {
  test(`redact() leaves ${name}`, () => {
    assert.equal(new Redactor([]).redact(text), text);
  });
}

test("redact() leaves JSON that can be parsed", () => {
  const value = { password: "hunter22", list: [{ token: "abc" }], url: "https://a:b@c/", n: 1 };
  const clean = new Redactor([]).redact(JSON.stringify(value, null, 1));
  const read = JSON.parse(clean) as typeof value;
  assert.deepEqual([read.password, read.n], ["[redacted value]", 1]);
});

const secret = fc.oneof(
  fc.string({ minLength: 6, maxLength: 60 }).filter((text) => text.trim().length >= 6),
  fc.uint8Array({ minLength: 16, maxLength: 64 }),
);
const FORMS: readonly ((bytes: Buffer) => string)[] = [
  (bytes) => bytes.toString("base64"),
  (bytes) => bytes.toString("base64url"),
  (bytes) => bytes.toString("hex"),
  (bytes) => bytes.toString("hex").toUpperCase(),
];

test("redact() leaves no known secret in any form, whatever stands around it", () => {
  fc.assert(
    fc.property(secret, fc.array(fc.string()), fc.nat(), (value, around, at) => {
      const bytes = Buffer.from(value);
      const plain = typeof value === "string" ? [value, JSON.stringify(value).slice(1, -1)] : [];
      const forms = [...plain, ...FORMS.map((form) => form(bytes))];
      const form = forms[at % forms.length] ?? "";
      const text = around.join(form) + form;
      const clean = new Redactor([{ name: "x", forms: formsOf(value) }]).redact(text);
      // The mark itself, or what stands around, may happen to have it.
      const others = [...around, "[redacted x]"].some((one) => one.includes(form));
      assert.ok(others || !clean.replaceAll("[redacted x]", "\n").includes(form));
    }),
    { numRuns: 2_000 },
  );
});

test("redact() never throws", () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      assert.equal(
        typeof new Redactor([{ name: "x", forms: formsOf(KEY) }]).redact(text),
        "string",
      );
    }),
  );
});

test("redact() takes time in proportion to the text", () => {
  for (const word of ["x", "a-", "a.b", "eyJ", "LS0tLS1CRUdJTi", "password", "-----BEGIN "]) {
    const text = word.repeat(2_000_000 / word.length);
    const begun = performance.now();
    new Redactor([]).redact(text);
    const tookMs = performance.now() - begun;
    // From each letter to the end it would be an hour.
    assert.ok(tookMs < 20_000, `${word}: ${tookMs} ms`);
  }
});

test("redactKubeconfig() keeps where and who, and nothing that proves it", () => {
  const text = `
current-context: a
clusters: [{name: c, cluster: {server: "https://x:6443", certificate-authority-data: QUJD}}]
contexts: [{name: a, context: {cluster: c, user: u}}]
users:
  - name: u
    user:
      token: secret-token-1
      tokenFile: /etc/lbd/token
      client-key-data: c2VjcmV0LWtleS0x
      client-certificate-data: QUJD
      password: hunter22
      exec: {command: login, env: [{name: PASSWORD, value: secret-env-1}]}
      a-new-kind: {of: secret-new-1}
`;
  const clean = redactKubeconfig(text) ?? "";
  assert.doesNotMatch(clean, /secret|hunter|c2VjcmV0/);
  const read = parse(clean);
  assert.equal(read.clusters[0].cluster.server, "https://x:6443");
  assert.equal(read.clusters[0].cluster["certificate-authority-data"], "QUJD");
  assert.deepEqual(read.users[0].user, {
    token: "[redacted]",
    tokenFile: "/etc/lbd/token",
    "client-key-data": "[redacted]",
    "client-certificate-data": "QUJD",
    password: "[redacted]",
    exec: "[redacted]",
    "a-new-kind": "[redacted]",
  });
});

test("redactKubeconfig() shows nothing of a file that it cannot parse", () => {
  assert.equal(redactKubeconfig("users: [{token: 'x"), null);
});

// Tests of the certificate signing request: openssl takes it, and its name is the one given.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createPrivateKey, createPublicKey } from "node:crypto";
import { test } from "node:test";
import { certificateRequest } from "../../../src/join/certificate-request.ts";

function openssl(args: readonly string[], input: string): string {
  const { status, stdout, stderr } = spawnSync("openssl", args, { input, encoding: "utf8" });
  assert.equal(status, 0, stderr);
  return stdout + stderr;
}

// Lengths are written in one byte, in two and in three.
for (const length of [1, 64, 115, 180, 250]) {
  test(`certificateRequest() of a name of ${length} characters is one to openssl`, () => {
    const name = "n".repeat(length);
    const { request, key } = certificateRequest(name);
    assert.match(openssl(["req", "-verify", "-noout"], request), /verify OK/);
    const subject = openssl(["req", "-noout", "-subject", "-nameopt", "multiline"], request);
    assert.ok(subject.includes(`commonName                = ${name}\n`), subject);
    const publicKey = openssl(["req", "-noout", "-pubkey"], request);
    const own = createPublicKey(createPrivateKey(key)).export({ type: "spki", format: "pem" });
    assert.equal(publicKey, own);
  });
}

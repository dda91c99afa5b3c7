// What the kernel counts of TCP signatures, in words.

import assert from "node:assert/strict";
import test from "node:test";
import { TcpSignatures } from "../../../src/daemon/tcp-signatures.ts";

const text = (notFound: number, failure: number) =>
  `TcpExt: SyncookiesSent TCPMD5NotFound TCPMD5Unexpected TCPMD5Failure
TcpExt: 0 ${notFound} 0 ${failure}
IpExt: InNoRoutes
IpExt: 0
`;

test("only what is counted from now on is told, and for a minute", () => {
  let now = text(5, 7);
  const signatures = new TcpSignatures(() => now);
  assert.equal(signatures.problem(0), null);
  now = text(5, 8);
  assert.match(signatures.problem(1_000) ?? "", /another password's signature .* do the passwords/);
  now = text(6, 8);
  assert.match(signatures.problem(2_000) ?? "", /another password.*; .*without a signature/);
  assert.equal(signatures.problem(61_500)?.includes("another password"), false);
  assert.equal(signatures.problem(70_000), null);
});

test("a kernel that counts nothing of the kind, or no file at all, is no problem", () => {
  assert.equal(new TcpSignatures(() => "TcpExt: A\nTcpExt: 1\n").problem(0), null);
  const broken = new TcpSignatures(() => {
    throw new Error("no such file");
  });
  assert.equal(broken.problem(0), null);
});

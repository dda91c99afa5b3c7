// Tests of the kubeconfig that a node gets, read back as the daemon reads it, and of which servers
// are the host itself.

import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { wallMs } from "../../../src/core/time.ts";
import { isLoopback, kubeconfigText } from "../../../src/join/kubeconfig-text.ts";
import { parseKubeconfig } from "../../../src/k8s-sync/kubeconfig.ts";
import { tempDir } from "../../support/temp-dir.ts";

const NOW = { now: wallMs(Date.UTC(2026, 0, 1)) };
const ABOUT = {
  context: "here",
  account: "lbd-node-n1",
  server: "https://10.0.0.1:6443/k8s",
  ca: null,
  servername: "kubernetes",
  insecure: false,
};

test("kubeconfigText() is read back by the daemon's rules, with a token in a file", (t) => {
  const tokenFile = join(tempDir(t), "token");
  writeFileSync(tokenFile, "a.b.c");
  const text = kubeconfigText({ ...ABOUT, credentials: { tokenFile } });
  const read = parseKubeconfig(text, "/etc/lbd/kubeconfig", { ...NOW, context: "here" });
  assert.equal(read.origin + read.basePath, ABOUT.server);
  assert.equal(read.tls.servername, "kubernetes");
  assert.deepEqual(read.token, { kind: "file", path: tokenFile });
});

test("kubeconfigText() is read back with the token in it", () => {
  const text = kubeconfigText({ ...ABOUT, credentials: { token: "a.b.c" } });
  const read = parseKubeconfig(text, "-", NOW);
  assert.deepEqual(read.token, { kind: "fixed", token: "a.b.c" });
});

for (const [server, expected] of [
  ["https://127.0.0.1:6443", true],
  ["https://127.8.0.1", true],
  ["https://[::1]:6443", true],
  ["https://localhost:6443", true],
  ["https://10.0.0.1:6443", false],
  ["https://localhost.example", false],
  ["nonsense", false],
] as const) {
  test(`isLoopback() of "${server}": ${expected}`, () => {
    assert.equal(isLoopback(server), expected);
  });
}

// Tests of lbd as a process that runs until a signal ends it. It has an API that is not there, and
// no interface: nothing of the host is touched.

import assert from "node:assert/strict";
import { once } from "node:events";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { test } from "node:test";
import { ApiClient } from "../../../src/api/client.ts";
import type { Child } from "../../support/child-process.ts";
import { childProcess, finished } from "../../support/child-process.ts";
import { tempDir } from "../../support/temp-dir.ts";

const KUBECONFIG = `apiVersion: v1
kind: Config
clusters: [{name: c, cluster: {server: "http://127.0.0.1:1"}}]
users: [{name: u, user: {}}]
contexts: [{name: x, context: {cluster: c, user: u}}]
current-context: x
`;

interface Host {
  readonly config: string;
  readonly socket: string;
}

function host(t: TestContext): Host {
  const folder = tempDir(t);
  const [config, socket] = [join(folder, "config.yaml"), join(folder, "lbd.sock")];
  writeFileSync(join(folder, "kubeconfig"), KUBECONFIG);
  const lines = [
    "nodeName: n1",
    `kubeconfig: ${join(folder, "kubeconfig")}`,
    "allowInsecureApi: true",
    `stateFile: ${join(folder, "state.db")}`,
    `socket: ${socket}`,
    'excludeInterfaces: [".*"]',
    "metrics: {port: 0}",
  ];
  writeFileSync(config, `${lines.join("\n")}\n`);
  return { config, socket };
}

/** A daemon that answers on its socket. */
async function running(t: TestContext): Promise<{ child: Child; socket: string }> {
  const { config, socket } = host(t);
  const child = childProcess(t, "src/daemon/main.ts", ["--config", config], { env: {} });
  child.stderr.resume();
  await new Promise<void>((resolve) => {
    child.stdout.on("data", (chunk) => {
      if (String(chunk).includes('"event":"ready"')) resolve();
    });
  });
  return { child, socket };
}

for (const signal of ["SIGTERM", "SIGINT", "SIGUSR2"] as const) {
  test(`lbd ends by itself at ${signal}, with status 0 and without its socket`, async (t) => {
    const { child, socket } = await running(t);
    assert.equal((await new ApiClient(socket).get("/v1/status")).item.node, "n1");
    child.kill(signal);
    assert.deepEqual(await once(child, "exit"), [0, null]);
    assert.equal(existsSync(socket), false);
  });
}

test("Daemon that is told to stop before it has its socket stops", {
  timeout: 20_000,
}, async (t) => {
  const { config, socket } = host(t);
  const child = childProcess(t, "test/support/daemon-stopped-early.ts", [config], { env: {} });
  assert.deepEqual(await finished(child), { status: 0, stdout: "ended\n", stderr: "" });
  assert.equal(existsSync(socket), false);
});

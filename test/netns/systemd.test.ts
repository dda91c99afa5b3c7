// What the daemon tells systemd, read from a real notification socket. The API is away all the
// time: READY must not wait for it.

import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { stringify } from "yaml";
import { startDaemon } from "../lab/daemon.ts";
import { labForTest } from "../lab/for-test.ts";
import type { LabNode } from "../lab/node.ts";

/** Binds a datagram socket, as systemd does, and prints what arrives, a message a line. */
const RECEIVER = `
import socket, sys
receiver = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
receiver.bind(sys.argv[1])
print("bound", flush=True)
while True:
    print(receiver.recv(4096).decode().replace("\\n", " "), flush=True)
`;

/** A kubeconfig for an API server that is not there. */
function absentKubeconfig(node: LabNode): string {
  const path = join(node.folder, "absent.kubeconfig");
  const server = "https://172.30.0.1:6443";
  const kubeconfig = {
    apiVersion: "v1",
    kind: "Config",
    "current-context": "lab",
    contexts: [{ name: "lab", context: { cluster: "lab", user: "lab" } }],
    clusters: [{ name: "lab", cluster: { server } }],
    users: [{ name: "lab", user: { token: "none" } }],
  };
  writeFileSync(path, stringify(kubeconfig));
  return path;
}

describe("systemd", () => {
  test("is told READY without the API, STATUS, WATCHDOG and STOPPING", async (t) => {
    const lab = await labForTest(t, { nodes: 1 });
    const node = lab.node(1);
    const path = join(node.folder, "notify");
    const receiver = node.spawn("receiver", ["python3", "-u", "-c", RECEIVER, path]);
    await receiver.waitForOutput(/bound/);
    const env = { NOTIFY_SOCKET: path, WATCHDOG_USEC: "1500000" };
    const daemon = await startDaemon(node, { kubeconfig: absentKubeconfig(node), env });
    await receiver.waitForOutput(/READY=1/);
    await receiver.waitForOutput(/STATUS=degraded: 0 of 0 addresses answered here, the API cannot/);
    await receiver.waitForOutput(/WATCHDOG=1/);
    const end = await daemon.process.kill("SIGTERM", 15_000);
    assert.equal(end.code, 0, daemon.process.log());
    await receiver.waitForOutput(/STOPPING=1/);
  });
});

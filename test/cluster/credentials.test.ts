// The daemon's own care for its credentials, before the real API server, with its clocks moved by
// the test: the shortest life that the API server gives is ten minutes. And client certificates.

import assert from "node:assert/strict";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { parseNodeFile } from "../../src/config/node-file.ts";
import { bootMs, wallMs } from "../../src/core/time.ts";
import { Credentials } from "../../src/daemon/credentials.ts";
import { credentialsFindings } from "../../src/daemon/credentials-findings.ts";
import { DaemonClient } from "../../src/daemon/daemon-client.ts";
import { kubeconfigOf } from "../../src/daemon/kubeconfig-of.ts";
import { createLogger } from "../../src/daemon/logger.ts";
import { tokenClaims } from "../../src/k8s-sync/service-account-token.ts";
import { Store } from "../../src/store/store.ts";
import { ControlPlane } from "../lab/control-plane.ts";
import { eventually } from "../lab/eventually.ts";
import { labForSuite } from "../lab/for-test.ts";
import type { Lab } from "../lab/lab.ts";

const CLI = join(import.meta.dirname, "../../src/cli/main.ts");
const MINUTE_MS = 60_000;
const NODE = "node1";

describe("credentials", () => {
  let lab: Lab;
  let controlPlane: ControlPlane;
  let config = "";
  let server = "";
  const file = (name: string) => join(lab.node(1).folder, name);

  labForSuite({ nodes: 1 }, async (made) => {
    lab = made;
    controlPlane = await ControlPlane.start(lab);
    await controlPlane.registerNodes();
    server = await controlPlane.openOnLoopback();
    config = file("config.yaml");
    const places = { kubeconfig: file("kubeconfig"), stateFile: file("state.db") };
    writeFileSync(config, `${JSON.stringify({ nodeName: NODE, ...places })}\n`);
  });

  /** Beside the lab, as the test itself: by the loopback address that is open there. */
  async function lbctl(...argv: string[]): Promise<string> {
    const admin = await controlPlane.kubeconfig(
      { name: "root", groups: ["system:masters"] },
      {
        server,
      },
    );
    const all = ["--config", config, "--kubeconfig", admin];
    const socket = ["--socket", file("lbd.sock")];
    const command = [process.execPath, CLI, ...socket, ...argv, ...all];
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const { execFile } = await import("node:child_process");
    const [program = "", ...args] = command;
    execFile(program, args, (error, stdout, stderr) => {
      if (error === null) resolve(stdout);
      else reject(new Error(stdout + stderr));
    });
    return promise;
  }

  test("a token is renewed from the middle of its life on, and after an outage", async () => {
    const joined = await lbctl("bootstrap", "--token-life", "10m");
    assert.match(joined, /sudo systemctl start lbd/);
    const bench = benchOf();
    try {
      const tokenNow = () => readFileSync(file("token"), "utf8");
      const first = tokenNow();
      assert.equal(tokenClaims(first)?.nodeUid === null, false);
      bench.move(4.5 * MINUTE_MS);
      await bench.turn();
      assert.equal(tokenNow(), first);
      bench.move(MINUTE_MS);
      await bench.turn();
      const second = tokenNow();
      assert.notEqual(second, first);
      assert.deepEqual(bench.findings(), []);

      await controlPlane.stopApiServer();
      bench.move(7 * MINUTE_MS);
      await bench.turn();
      assert.equal(tokenNow(), second, "the old one stays until there is another");
      bench.move(2 * MINUTE_MS);
      await bench.turn();
      assert.match(bench.findings()[0] ?? "", /^degraded: The token of this node ends in \d min/);
      bench.move(2 * MINUTE_MS);
      await bench.turn();
      assert.match(bench.findings()[0] ?? "", /^degraded: The token of this node has expired/);

      await controlPlane.startApiServer();
      bench.move(2 * MINUTE_MS);
      await bench.turn();
      assert.notEqual(tokenNow(), second);
      assert.deepEqual(bench.findings(), []);
    } finally {
      await bench.close();
    }
  });

  test("a kubeconfig that is spoilt while it is in use is told, and nothing else", async () => {
    const bench = benchOf();
    const good = readFileSync(file("kubeconfig"), "utf8");
    try {
      writeFileSync(file("kubeconfig"), "clusters: [");
      await bench.turn();
      assert.match(bench.findings()[0] ?? "", /^degraded: The kubeconfig cannot be used/);
      const asked = await bench.client.request({ method: "GET", path: "/api/v1/nodes" });
      assert.equal(asked.ok, true);
      writeFileSync(file("kubeconfig"), good);
      await bench.turn();
      assert.deepEqual(bench.findings(), []);
    } finally {
      writeFileSync(file("kubeconfig"), good);
      await bench.close();
    }
  });

  test("bootstrap --certificate has one signed, and keeps it while it is young", async () => {
    const signing = new AbortController();
    const signer = actAsSigner(signing.signal);
    try {
      const printed = await lbctl("bootstrap", "--certificate");
      assert.match(printed, /^wrote +.*\/kubeconfig$/m);
    } finally {
      signing.abort();
      await signer;
    }
    const text = readFileSync(file("kubeconfig"), "utf8");
    assert.match(text, /client-certificate-data/);
    assert.doesNotMatch(text, /token/);
    const bench = benchOf();
    try {
      const asked = await bench.client.request({ method: "GET", path: "/api/v1/services" });
      assert.equal(asked.ok, true);
      const secrets = await bench.client.request({ method: "GET", path: "/api/v1/secrets" });
      assert.equal(secrets.ok, false);
      bench.move(22 * 24 * 60 * MINUTE_MS);
      assert.match(bench.findings()[0] ?? "", /The client certificate of this node ends in/);
    } finally {
      await bench.close();
    }
    assert.match(await lbctl("bootstrap", "--certificate"), /^nothing changed$/m);
    assert.equal(readFileSync(file("kubeconfig"), "utf8"), text);
  });

  /** The part of a daemon that sees to its credentials, with clocks that are moved by hand. */
  function benchOf() {
    const parsed = parseNodeFile(readFileSync(config, "utf8"), "host");
    assert.ok(parsed.ok);
    const nodeFile = parsed.value;
    let movedMs = 0;
    let uid: string | null = null;
    const clock = {
      boot: () => bootMs(performance.now() + movedMs),
      wall: () => wallMs(Date.now() + movedMs),
    };
    const store = Store.open(file("bench.db"), wallMs(Date.now()));
    const client = new DaemonClient({ store, isShadow: false });
    const turns: PromiseWithResolvers<void>[] = [];
    const stop = new AbortController();
    const credentials = new Credentials({
      node: NODE,
      namespace: nodeFile.systemNamespace,
      kubeconfig: nodeFile.kubeconfig,
      load: () => kubeconfigOf(nodeFile, clock.wall()),
      client,
      clock,
      random: () => 0,
      log: createLogger("error", {}),
      nodeUid: () => uid,
      onChanged: () => {},
      // One turn at a time: the next begins when the test says so.
      sleep: async (_ms, signal) => {
        if (signal.aborted) return;
        const turn = Promise.withResolvers<void>();
        turns.push(turn);
        signal.addEventListener("abort", () => turn.resolve(), { once: true });
        await turn.promise;
      },
    });
    const running = credentials.run(stop.signal);
    const atRest = () =>
      eventually("the turn to end", () => turns.length > 0, {
        timeoutMs: 60_000,
        until: Boolean,
      });
    return {
      client,
      findings: () =>
        credentialsFindings(credentials.state()).map(({ health, what }) => `${health}: ${what}`),
      move: (ms: number) => {
        movedMs += ms;
      },
      turn: async () => {
        await atRest();
        uid ??= (await controlPlane.get<{ metadata: { uid: string } }>("node", NODE)).metadata.uid;
        turns.shift()?.resolve();
        await atRest();
      },
      close: async () => {
        stop.abort();
        await running;
        await client.close();
        store.close();
      },
    };
  }

  /** As the controller manager does, which the lab has none of: signs what is approved. */
  async function actAsSigner(signal: AbortSignal): Promise<void> {
    const pki = join(lab.apiHost.folder, "pki");
    const [request, signed] = [join(pki, "node.csr"), join(pki, "node.crt")];
    while (!signal.aborted) {
      const { items } = await controlPlane.get<{ items: SigningRequest[] }>("csr");
      const open = items.find(
        ({ status }) =>
          status.certificate === undefined &&
          (status.conditions ?? []).some(({ type }) => type === "Approved"),
      );
      if (open !== undefined) {
        writeFileSync(request, Buffer.from(open.spec.request, "base64"));
        const authority = ["-CA", join(pki, "ca.crt"), "-CAkey", join(pki, "ca.key")];
        const files = ["-in", request, "-out", signed, "-CAcreateserial", "-days", "28"];
        await controlPlane.host.run(["openssl", "x509", "-req", ...authority, ...files]);
        assert.ok(existsSync(signed));
        const certificate = readFileSync(signed).toString("base64");
        const patch = JSON.stringify({ status: { certificate } });
        const what = ["patch", "csr", open.metadata.name, "--subresource=status"];
        await controlPlane.kubectl([...what, "--type=merge", "-p", patch]);
      }
      await sleep(100);
    }
  }
});

interface SigningRequest {
  readonly metadata: { readonly name: string };
  readonly spec: { readonly request: string };
  readonly status: {
    readonly certificate?: string;
    readonly conditions?: readonly { readonly type: string }[];
  };
}

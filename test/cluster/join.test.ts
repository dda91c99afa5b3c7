// Nodes that come into a cluster by lbctl bootstrap and join, stay in it, and leave it: the real
// API server, and daemons that have no credentials but what those commands give them.

import assert from "node:assert/strict";
import { createPrivateKey, sign } from "node:crypto";
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { wallMs } from "../../src/core/time.ts";
import { tokenClaims } from "../../src/k8s-sync/service-account-token.ts";
import { Store } from "../../src/store/store.ts";
import type { CommandResult } from "../lab/command.ts";
import { ControlPlane } from "../lab/control-plane.ts";
import type { LabDaemon } from "../lab/daemon.ts";
import { eventually } from "../lab/eventually.ts";
import { labForSuite } from "../lab/for-test.ts";
import { ADVERTISEMENT, DaemonCluster, POOL } from "./support/daemon-cluster.ts";

const ADDRESS = "192.168.100.50";
const CLI = join(import.meta.dirname, "../../src/cli/main.ts");
const START_MS_MAX = 60_000;
const COMMAND_MS_MAX = 180_000;
const OTHER_UID = "00000000-0000-4000-8000-000000000000";

describe("joining a cluster", () => {
  let c: DaemonCluster;
  const kubeconfigOf = (node: string) => join(c.node(node).folder, "kubeconfig");
  const tokenOf = (node: string) => join(c.node(node).folder, "token");
  const configOf = (node: string) => join(c.node(node).folder, "config.yaml");
  const start = async (node: string, config = {}): Promise<LabDaemon> => {
    const options = { kubeconfig: kubeconfigOf(node), config, waitUntilReady: false };
    const daemon = await c.start(c.node(node), options);
    await daemon.waitUntilReady(START_MS_MAX);
    return daemon;
  };
  /** On the node, with its node file. */
  const lbctl = (node: string, command: string, args: readonly string[] = [], input?: string) => {
    const socket = join(c.node(node).folder, "lbd.sock");
    const argv = [process.execPath, CLI, "--socket", socket, command, ...args];
    const given = input === undefined ? {} : { input };
    const options = { timeoutMs: COMMAND_MS_MAX, ...given };
    return c.node(node).tryRun([...argv, "--config", configOf(node)], options);
  };
  const asAdmin = () => ["--kubeconfig", c.controlPlane.adminKubeconfig];
  const exists = async (...what: string[]) =>
    (await c.controlPlane.tryKubectl(["get", ...what])).code === 0;

  labForSuite({ nodes: 2 }, async (lab) => {
    const controlPlane = await ControlPlane.start(lab);
    await controlPlane.registerNodes();
    c = new DaemonCluster(lab, controlPlane, "");
    await Promise.all(["node1", "node2"].map((node) => start(node)));
  });

  test("a daemon without a kubeconfig runs, and says what it waits for", async () => {
    const { code, stdout } = await c.daemon("node1").lbctl(["status"]);
    assert.equal(code, 1);
    assert.match(stdout, /There are no credentials for the Kubernetes API/);
    assert.match(stdout, /next: +sudo lbctl bootstrap --kubeconfig admin\.conf/);
    assert.equal(stdout.match(/^ {2}(failing|degraded):/gm)?.length, 1);
  });

  test("bootstrap --dry-run changes nothing", async () => {
    const { code, stdout } = await lbctl("node1", "bootstrap", ["--dry-run"]);
    assert.equal(code, 0);
    assert.match(stdout, /^kind: CustomResourceDefinition$/m);
    assert.equal(await exists("namespace", "lbd-system"), false);
    assert.equal(existsSync(kubeconfigOf("node1")), false);
  });

  test("bootstrap lists every right that a kubeconfig lacks, and changes nothing", async () => {
    const kubeconfig = await c.controlPlane.kubeconfig({ name: "nobody" });
    const rules = ["--verb=get", "--resource=namespaces", "--resource-name=kube-system"];
    await c.controlPlane.kubectl(["create", "clusterrole", "nobody", ...rules]);
    const bound = ["--clusterrole=nobody", "--user=nobody"];
    await c.controlPlane.kubectl(["create", "clusterrolebinding", "nobody", ...bound]);
    const { code, stderr } = await lbctl("node1", "bootstrap", ["--kubeconfig", kubeconfig]);
    assert.equal(code, 5);
    for (const line of [
      "create customresourcedefinitions.apiextensions.k8s.io",
      "patch clusterroles.rbac.authorization.k8s.io",
      "create rolebindings.rbac.authorization.k8s.io in namespace lbd-system",
      "create serviceaccounts/token in namespace lbd-system",
      "list ipaddresspools.metallb.io in namespace metallb-system",
    ]) {
      assert.ok(stderr.includes(`\n  ${line}\n`), line);
    }
    assert.equal(await exists("namespace", "lbd-system"), false);
  });

  test("join is refused before the cluster was bootstrapped", async () => {
    const { code, stderr } = await lbctl("node2", "join", asAdmin());
    assert.equal(code, 5);
    assert.match(stderr, /the cluster has no ClusterRole lbd.*sudo lbctl bootstrap/);
  });

  test("bootstrap gives the waiting daemon its credentials, without a restart", async () => {
    const { pid } = c.daemon("node1").process;
    const { code, stdout, stderr } = await lbctl("node1", "bootstrap", asAdmin());
    assert.equal(code, 0, stdout + stderr);
    assert.match(stdout, /^created +Namespace lbd-system$/m);
    assert.match(stdout, /^created +ServiceAccount lbd-system\/lbd-node-node1$/m);
    assert.match(stdout, /^wrote +.*\/kubeconfig$/m);
    assert.match(stdout, /node1 is joined: the daemon works with https:/);
    for (const file of [kubeconfigOf("node1"), tokenOf("node1")]) {
      assert.equal(statSync(file).mode & 0o777, 0o600);
    }
    assert.doesNotMatch(readFileSync(kubeconfigOf("node1"), "utf8"), /client-key/);
    await c.controlPlane.apply(POOL);
    await c.controlPlane.apply(ADVERTISEMENT);
    await c.createService("web");
    assert.equal(await c.addressOf("web"), ADDRESS);
    assert.equal(await c.untilAnswering(ADDRESS), "node1");
    await c.untilStatus(c.daemon("node1"), /health +ok/);
    assert.equal(c.daemon("node1").process.pid, pid);
  });

  test("bootstrap once more changes nothing", async () => {
    const before = readFileSync(tokenOf("node1"), "utf8");
    const { code, stdout } = await lbctl("node1", "bootstrap", asAdmin());
    assert.equal(code, 0);
    assert.doesNotMatch(stdout, /^(created|changed|wrote)/m);
    assert.match(stdout, /^nothing changed$/m);
    assert.equal(readFileSync(tokenOf("node1"), "utf8"), before);
  });

  test("what --dry-run prints is what kubectl applies", async () => {
    const { stdout } = await lbctl("node1", "bootstrap", ["--dry-run"]);
    await c.controlPlane.apply(stdout);
  });

  test("the token is bound to the Node, for a day", async () => {
    const claims = tokenClaims(readFileSync(tokenOf("node1"), "utf8"));
    const node = await c.controlPlane.get<{ metadata: { uid: string } }>("node", "node1");
    assert.equal(claims?.nodeUid, node.metadata.uid);
    assert.equal((claims?.expiresAt ?? 0) - (claims?.issuedAt ?? 0), 86_400_000);
  });

  test("join --print is refused where the server is the host itself", async () => {
    const server = ["--server", "https://127.0.0.1:6443"];
    const run = (argv: string[]) =>
      c.controlPlane.host.tryRun([process.execPath, CLI, ...argv], { timeoutMs: COMMAND_MS_MAX });
    const config = ["--config", configOf("node1")];
    const printed = await run(["join", "--print", "node2", ...asAdmin(), ...server, ...config]);
    assert.equal(printed.code, 2, printed.stderr);
    assert.match(printed.stderr, /name the API server with --server/);
  });

  test("join - takes what join --print printed, for its own node alone", async () => {
    const printed = await lbctl("node1", "join", ["--print", "node2", ...asAdmin()]);
    assert.equal(printed.code, 0, printed.stderr);
    const wrong = await lbctl("node1", "join", ["-"], printed.stdout);
    assert.equal(wrong.code, 5);
    assert.match(wrong.stderr, /those of account "lbd-node-node2"/);
    const { code, stdout, stderr } = await lbctl("node2", "join", ["-"], printed.stdout);
    assert.equal(code, 0, stdout + stderr);
    await c.untilStatus(c.daemon("node2"), /health +ok/);
    const { code: again, stdout: second } = await lbctl("node2", "join", asAdmin());
    assert.equal(again, 0);
    assert.match(second, /^nothing changed$/m);
  });

  test("a node may ask for tokens of itself, and of no other", async () => {
    const kubeconfig = kubeconfigOf("node2");
    const ask = (account: string): Promise<CommandResult> =>
      c.controlPlane.tryKubectl(["create", "token", account, "-n", "lbd-system"], { kubeconfig });
    assert.equal((await ask("lbd-node-node2")).code, 0);
    const other = await ask("lbd-node-node1");
    assert.notEqual(other.code, 0);
    assert.match(other.stderr, /forbidden/);
    for (const what of [["secrets", "-n", "lbd-system"], ["serviceaccounts"], ["pods"]]) {
      const got = await c.controlPlane.tryKubectl(["get", ...what], { kubeconfig });
      assert.match(got.stderr, /forbidden/, what.join(" "));
    }
  });

  test("a host of another cluster is refused, by lbctl and by its daemon", async () => {
    const { folder } = c.node("node2");
    const stateFile = join(folder, "elsewhere.db");
    const store = Store.open(stateFile, wallMs(Date.now()));
    store.saveSetting("cluster-uid", Buffer.from(OTHER_UID, "utf8"));
    store.close();
    const first = c.daemon("node2");
    await first.kill("SIGTERM");
    const config = { kubeconfig: join(folder, "new-kubeconfig"), stateFile };
    writeFileSync(configOf("node2"), `${JSON.stringify({ nodeName: "node2", ...config })}\n`);
    const kube = await c.controlPlane.get<{ metadata: { uid: string } }>("ns", "kube-system");
    const { code, stderr } = await lbctl("node2", "join", asAdmin());
    assert.equal(code, 5);
    assert.ok(stderr.includes(OTHER_UID) && stderr.includes(kube.metadata.uid), stderr);
    assert.match(stderr, /sudo lbctl leave --force/);
    assert.equal(existsSync(config.kubeconfig), false);
    const daemon = await start("node2", { stateFile });
    const status = await c.untilStatus(daemon, /leads to another cluster/);
    assert.ok(status.includes(OTHER_UID) && status.includes(kube.metadata.uid), status);
    await daemon.kill("SIGTERM");
    await start("node2");
    await c.untilStatus(c.daemon("node2"), /health +ok/);
  });

  test("a token that ends in an API outage stops nothing, and join mends it", async () => {
    const node = await c.untilAnswering(ADDRESS);
    const daemon = c.daemon(node);
    const { pid } = daemon.process;
    // The API server takes a token for a minute longer than it says.
    const token = await forged(node, 60, { ageSeconds: 180 });
    await c.controlPlane.stopApiServer();
    writeFileSync(tokenOf(node), token);
    const told = await c.untilStatus(daemon, /The token of this node has expired/, 30_000);
    assert.match(told, /holdover goes on/);
    assert.match(told, /next: +sudo lbctl join --kubeconfig admin\.conf/);
    assert.deepEqual(await c.lab.client.whoAnswers(ADDRESS), [c.node(node).mac()]);
    await c.controlPlane.startApiServer();
    await c.untilStatus(daemon, /does not accept the credentials/, 30_000);
    const { code, stdout, stderr } = await lbctl(node, "join", asAdmin());
    assert.equal(code, 0, stdout + stderr);
    await c.untilStatus(daemon, /health +ok/, 30_000);
    assert.equal(daemon.process.pid, pid);
    assert.equal(await c.untilAnswering(ADDRESS), node);
  });

  test("a token past the middle of its life is renewed by the daemon", async () => {
    const short = await forged("node1", 40);
    writeFileSync(tokenOf("node1"), short);
    const renewed = await eventually(
      "another token",
      () => readFileSync(tokenOf("node1"), "utf8"),
      {
        timeoutMs: 60_000,
        until: (text) => text !== short,
      },
    );
    const claims = tokenClaims(renewed);
    assert.equal((claims?.expiresAt ?? 0) - (claims?.issuedAt ?? 0), 600_000);
    assert.notEqual(claims?.nodeUid, null);
    assert.equal(statSync(tokenOf("node1")).mode & 0o777, 0o600);
    await c.untilStatus(c.daemon("node1"), /health +ok/);
  });

  test("leave hands over, and removes what there is of the node, here and there", async () => {
    const node = await c.untilAnswering(ADDRESS);
    const first = await lbctl(node, "leave", asAdmin());
    assert.equal(first.code, 5);
    assert.match(first.stderr, /end it \(SIGTERM\), then run "sudo lbctl leave"/);
    const taker = await c.untilAnswering(ADDRESS);
    assert.notEqual(taker, node);
    await c.daemon(node).kill("SIGTERM");
    const { code, stdout, stderr } = await lbctl(node, "leave", asAdmin());
    assert.equal(code, 0, stdout + stderr);
    assert.match(stdout, new RegExp(`^removed +Lease lbd-system/lbd-node-${node}$`, "m"));
    for (const kind of ["lease", "serviceaccount", "rolebinding"]) {
      assert.equal(await exists(kind, `lbd-node-${node}`, "-n", "lbd-system"), false, kind);
    }
    assert.equal(await exists("clusterrolebinding", `lbd-node-${node}`), false);
    for (const file of [kubeconfigOf(node), tokenOf(node), join(c.node(node).folder, "state.db")]) {
      assert.equal(existsSync(file), false, file);
    }
    assert.equal(await c.untilAnswering(ADDRESS), taker);
  });

  test("leave without other nodes keeps everything, unless it is forced", async () => {
    const node = await c.untilAnswering(ADDRESS);
    const kept = await lbctl(node, "leave", ["--timeout", "1"]);
    assert.equal(kept.code, 1);
    assert.match(kept.stderr, /nothing was removed/);
    assert.ok(existsSync(kubeconfigOf(node)));
    assert.equal(await c.untilAnswering(ADDRESS), node);
    await c.daemon(node).kill("SIGTERM");
    const { code, stdout } = await lbctl(node, "leave", ["--force"]);
    assert.equal(code, 0);
    assert.match(
      stdout,
      new RegExp(`kubectl delete serviceaccounts lbd-node-${node} -n lbd-system`),
    );
    assert.equal(await exists("lease", `lbd-node-${node}`, "-n", "lbd-system"), false);
    assert.equal(existsSync(kubeconfigOf(node)), false);
  });

  /** A token of the node's account such as the API server makes, but of so few seconds. */
  async function forged(node: string, seconds: number, { ageSeconds = 0 } = {}): Promise<string> {
    const name = `lbd-node-${node}`;
    const account = await c.controlPlane.get<{ metadata: { uid: string } }>(
      ...["serviceaccount", name, "-n", "lbd-system"],
    );
    const issuer = "https://kubernetes.default.svc";
    const now = Math.floor(Date.now() / 1_000) - ageSeconds;
    const claims = {
      ...{ iss: issuer, aud: [issuer], sub: `system:serviceaccount:lbd-system:${name}` },
      ...{ iat: now, nbf: now, exp: now + seconds },
      "kubernetes.io": {
        namespace: "lbd-system",
        serviceaccount: { name, uid: account.metadata.uid },
      },
    };
    const parts = [{ alg: "ES256", typ: "JWT" }, claims].map((part) =>
      Buffer.from(JSON.stringify(part)).toString("base64url"),
    );
    const key = createPrivateKey(readFileSync(c.controlPlane.authority.tokenKeyFile));
    const how = { key, dsaEncoding: "ieee-p1363" } as const;
    const signature = sign("sha256", Buffer.from(parts.join(".")), how).toString("base64url");
    return [...parts, signature].join(".");
  }
});

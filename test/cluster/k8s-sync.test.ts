// src/k8s-sync against a real etcd and kube-apiserver: the contracts, and what only a real control
// plane can do: compact, restart, forbid, expire.

import assert from "node:assert/strict";
import { connect, createServer, type Server, type Socket } from "node:net";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { bootMs, type Clock, wallMs } from "../../src/core/time.ts";
import { ApiClient } from "../../src/k8s-sync/client.ts";
import { decodeObject } from "../../src/k8s-sync/decode.ts";
import { type Kubeconfig, loadKubeconfig } from "../../src/k8s-sync/kubeconfig.ts";
import { LeaseClient } from "../../src/k8s-sync/leases.ts";
import type { RawObject } from "../../src/k8s-sync/model.ts";
import { Reflector } from "../../src/k8s-sync/reflector.ts";
import { leaseContract } from "../contract/k8s-leases/suite.ts";
import { LoggingSink, watchContract } from "../contract/k8s-watch/suite.ts";
import { writesContract } from "../contract/k8s-writes/suite.ts";
import { ControlPlane } from "../lab/control-plane.ts";
import { eventually } from "../lab/eventually.ts";
import { labForSuite } from "../lab/for-test.ts";
import type { Lab } from "../lab/lab.ts";

/** Runs in the API server's namespace: from a path that the test can reach to its port. */
const BRIDGE = `
  const net = require("node:net");
  net.createServer((near) => {
    const far = net.connect(6443, "127.0.0.1");
    for (const [one, other] of [[near, far], [far, near]]) {
      one.on("error", () => other.destroy());
      one.on("close", () => other.destroy());
      one.pipe(other);
    }
  }).listen(process.argv[1]);
`;

/** A port of this host that leads to the bridge, and that can be cut. */
class Relay {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #refusing = false;

  private constructor(path: string) {
    this.#server = createServer((near) => {
      if (this.#refusing) {
        near.destroy();
        return;
      }
      const far = connect(path);
      for (const socket of [near, far]) {
        this.#sockets.add(socket);
        socket.on("error", () => undefined);
        socket.on("close", () => {
          this.#sockets.delete(socket);
          near.destroy();
          far.destroy();
        });
      }
      near.pipe(far);
      far.pipe(near);
    });
  }

  static async open(path: string): Promise<Relay> {
    const relay = new Relay(path);
    await new Promise<void>((resolve) => relay.#server.listen(0, "127.0.0.1", resolve));
    return relay;
  }

  get origin(): string {
    return `https://127.0.0.1:${(this.#server.address() as { port: number }).port}`;
  }

  set refusing(refusing: boolean) {
    this.#refusing = refusing;
    if (refusing) this.cut();
  }

  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  close(): void {
    this.cut();
    this.#server.close();
  }
}

const clock: Clock = { boot: () => bootMs(performance.now()), wall: () => wallMs(Date.now()) };
const load = (path: string): Kubeconfig => loadKubeconfig(path, { now: clock.wall() });

describe("k8s-sync", () => {
  let lab: Lab;
  let controlPlane: ControlPlane;
  /** The reflectors' way to the API server, and everybody else's. */
  let watched: Relay;
  let direct: Relay;
  let client: ApiClient;
  let admin: ApiClient;
  const clients: ApiClient[] = [];

  const clientOf = (kubeconfig: Kubeconfig, relay: Relay, timeoutMs = 5_000): ApiClient => {
    const through = { ...kubeconfig, origin: relay.origin };
    const made = new ApiClient(through, { timeoutMs, watchOpenTimeoutMs: 2_000, version: "0.1.0" });
    clients.push(made);
    return made;
  };
  const namespace = async (name: string): Promise<string> => {
    await controlPlane.kubectl(["create", "namespace", name]);
    return name;
  };

  labForSuite({ nodes: 1 }, async (created) => {
    lab = created;
    controlPlane = await ControlPlane.start(lab);
    const path = join(lab.apiHost.folder, "api.sock");
    lab.apiHost.spawn("bridge", [process.execPath, "-e", BRIDGE, path]);
    [watched, direct] = [await Relay.open(path), await Relay.open(path)];
    const kubeconfig = load(controlPlane.adminKubeconfig);
    client = clientOf(kubeconfig, watched);
    admin = clientOf(kubeconfig, direct);
    await eventually("the API through the relay", async () => {
      return (await admin.request({ method: "GET", path: "/api/v1/nodes" })).ok;
    });
  });
  after(async () => {
    for (const one of clients) await one.close();
    watched?.close();
    direct?.close();
  });

  leaseContract("a real API server", async () => ({
    client: admin,
    namespace: await namespace("lease-contract"),
  }));

  writesContract("a real API server", async () => ({
    client: admin,
    namespace: await namespace("writes-contract"),
  }));

  watchContract("a real API server", async () => ({
    client,
    admin,
    namespace: await namespace("watch-contract"),
    dropWatches: async () => watched.cut(),
    forgetHistory: async (meanwhile) => {
      watched.refusing = true;
      await meanwhile();
      // A new watch cache knows nothing from before its start.
      await controlPlane.stopApiServer();
      await controlPlane.startApiServer();
      watched.refusing = false;
    },
    freeze: () => controlPlane.freezeApiServer(),
    thaw: async () => controlPlane.thawApiServer(),
  }));

  test("Reflector and Leases survive a restart of etcd", async () => {
    const name = await namespace("etcd-restart");
    const sink = new LoggingSink();
    const path = `/api/v1/namespaces/${name}/configmaps`;
    const reflector = new Reflector<RawObject>({
      client,
      resource: { path, name: "configmaps" },
      decode: decodeObject,
      sink,
      clock,
      random: Math.random,
    });
    const stop = new AbortController();
    const done = reflector.run(stop.signal);
    const leases = new LeaseClient(admin, name);
    const lease = { holderIdentity: "n1", leaseDurationSeconds: 15, leaseTransitions: 0 };
    const created = await leases.create({ name: "l", ...lease });
    assert.ok(created.ok);
    const { resourceVersion } = created.value.metadata;
    await eventually("the watch", () => reflector.state().phase === "watching");
    await controlPlane.stopEtcd();
    const startedAt = performance.now();
    const write = { name: "l", ...lease, resourceVersion };
    const refused = await leases.update(write, { timeoutMs: 500 });
    assert.equal(refused.ok, false);
    assert.ok(performance.now() - startedAt < 1_000);
    controlPlane.startEtcd();
    await controlPlane.waitUntilReady();
    // The write whose answer never came may have been executed when etcd was back.
    const written = await eventually("a write", async () => {
      const current = await leases.get("l");
      if (!current.ok) return null;
      const version = current.value.metadata.resourceVersion;
      const update = await leases.update({ ...write, resourceVersion: version });
      return update.ok ? update.value : null;
    });
    assert.equal(written?.spec.holderIdentity, "n1");
    const body = { metadata: { name: "late" }, data: { v: "1" } };
    assert.ok((await admin.request({ method: "POST", path, body })).ok);
    await eventually("the event", () => sink.values.includes("late=1"), { timeoutMs: 20_000 });
    stop.abort();
    await done;
  });

  test("a user without permission reads what is missing", async () => {
    const path = await controlPlane.kubeconfig({ name: "nobody", groups: [] });
    const nobody = clientOf(load(path), direct);
    const listed = await nobody.request({ method: "GET", path: "/api/v1/services" });
    assert.ok(!listed.ok);
    assert.equal(listed.failure.kind, "forbidden");
    assert.match(listed.failure.message, /User "nobody"|User \\"nobody\\"/);
    assert.match(listed.failure.message, /allow the verb "list" on the resource "services"/);
  });

  test("an expired client certificate is refused before it is used", async () => {
    const path = await controlPlane.expiredCertificateKubeconfig();
    assert.throws(() => load(path), {
      code: "KUBECONFIG_INVALID",
      message: /user\.client-certificate-data: found a certificate that expired at \d{4}-/,
    });
  });

  test("a service account's token file is accepted, a wrong token is not", async () => {
    const name = await namespace("tokens");
    await controlPlane.kubectl(["create", "serviceaccount", "lbd", "-n", name]);
    const options = { tokenInFile: true };
    const path = await controlPlane.serviceAccountKubeconfig(name, "lbd", options);
    const kubeconfig = load(path);
    assert.equal(kubeconfig.token?.kind, "file");
    const review = {
      apiVersion: "authentication.k8s.io/v1",
      kind: "SelfSubjectReview",
    };
    const self = "/apis/authentication.k8s.io/v1/selfsubjectreviews";
    const ask = { method: "POST", path: self, body: review } as const;
    const known = await clientOf(kubeconfig, direct).request(ask);
    assert.ok(known.ok, known.ok ? "" : known.failure.message);
    assert.match(JSON.stringify(known.value), /system:serviceaccount:tokens:lbd/);
    const wrong = { ...kubeconfig, token: { kind: "fixed", token: "wrong" } } as const;
    const unknown = await clientOf(wrong, direct).request(ask);
    assert.equal(unknown.ok ? "success" : unknown.failure.kind, "unauthorized");
  });
});

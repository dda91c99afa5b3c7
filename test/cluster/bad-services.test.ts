// What is done to Services that nobody should do: edits without end, a status that is written by
// hand, garbage in annotations.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { ApiClient } from "../../src/k8s-sync/client.ts";
import { eventually } from "../lab/eventually.ts";
import { clusterForSuite, type DaemonCluster, POOL } from "./support/daemon-cluster.ts";
import { editAgainAndAgain } from "./support/edit-storm.ts";
import { openApi, SERVICES, type SeenService } from "./support/service-watch.ts";
import { statusWrites } from "./support/status-writes.ts";

const EDITS = 300;
const EDITS_A_SECOND = 50;
const STORMS_MAX = 3;
const TIMEOUT_MS = 60_000;
const INTERVAL_MS = 200;

interface StormPlan {
  readonly name: string;
  readonly newcomer: string;
  readonly editOf: (i: number) => object;
}

describe("Services that are treated badly", () => {
  const cluster = clusterForSuite({ nodes: 2 });
  let api: ApiClient;

  before(async () => {
    const { controlPlane } = cluster();
    await controlPlane.apply(POOL.replace("192.168.100.59", "192.168.100.119"));
    api = await openApi(controlPlane);
    await cluster().createService("bystander");
    assert.equal(await cluster().addressOf("bystander"), "192.168.100.50");
  });

  after(() => api.close());

  const patched = async (name: string, body: object, subresource = ""): Promise<boolean> => {
    const contentType = "application/merge-patch+json";
    const path = `${SERVICES}/${name}${subresource}`;
    const request = { path, body, contentType, timeoutMs: TIMEOUT_MS };
    return (await api.request({ method: "PATCH", ...request })).ok;
  };
  const patch = async (name: string, body: object, subresource = ""): Promise<void> => {
    assert.ok(await patched(name, body, subresource));
  };

  /** Until it says what lbd says. */
  const write = async (name: string, ingress: readonly object[]): Promise<void> => {
    await patch(name, { status: { loadBalancer: { ingress } } }, "/status");
    await untilHas(cluster(), name, "192.168.100.58");
  };

  /** Fifty edits a second, for some seconds; meanwhile others are served as ever. */
  const storm = async (plan: StormPlan) => {
    const c = cluster();
    const before = await versionOf(c, "bystander");
    const writesBefore = await statusWrites(c.controlPlane);
    const { name, editOf } = plan;
    const edits = editAgainAndAgain(api, { name, editOf, count: EDITS, aSecond: EDITS_A_SECOND });
    await edits.begun;
    await c.createService(plan.newcomer);
    const address = await c.addressOf(plan.newcomer);
    await c.untilAnswering(address);
    await c.untilAnswering("192.168.100.50");
    assert.equal(edits.isOver, false, "it is served while the edits go on");
    const made = await edits.done;
    assert.equal(await versionOf(c, "bystander"), before);
    for (const daemon of c.daemons.values()) assert.ok(daemon.process.isRunning);
    return { ...made, writes: (await statusWrites(c.controlPlane)) - writesBefore };
  };

  /** Again where the machine was too busy for so many edits; what is promised holds each time. */
  const storms = async (
    name: string,
    options: { readonly aSecondMin: number; readonly editOf: (i: number) => object },
    check: (found: Awaited<ReturnType<typeof storm>>) => void,
  ): Promise<void> => {
    const rates: number[] = [];
    do {
      const newcomer = `beside-${name}-${rates.length}`;
      const found = await storm({ name, newcomer, editOf: options.editOf });
      check(found);
      rates.push(found.aSecond);
      if (found.aSecond >= options.aSecondMin) return;
    } while (rates.length < STORMS_MAX);
    assert.fail(`edits a second that were made: ${rates.join(", ")}`);
  };

  test("fifty edits a second that ask for nothing else change no address", async () => {
    const c = cluster();
    await c.createService("calm");
    const address = await c.addressOf("calm");
    await c.untilAnswering(address);
    const options = { aSecondMin: 40, editOf: harmlessEdit };
    await storms("calm", options, ({ states, writes }) => {
      assert.deepEqual([...new Set(states.map((ips) => ips.join()))], [address]);
      assert.equal(writes, 1, "the newcomer's status alone is written");
    });
    await c.untilAnswering(address);
    await c.untilStatus(c.daemon("node1"), /health +ok/);
  });

  test("fifty edits a second end with what the last asks for, and touch no other", async () => {
    const c = cluster();
    await c.createService("busy");
    await c.addressOf("busy");
    // Fewer: the API server gives up an edit that loses against the status again and again.
    await storms("busy", { aSecondMin: 20, editOf }, ({ writes }) => {
      // The newcomer's, and for each edit at most one, which may find the next one there already.
      assert.ok(writes <= EDITS + 1, `${writes} writes of statuses`);
    });
    await patch("busy", { ...editOf(0), spec: { loadBalancerIP: "192.168.100.57" } });
    await untilHas(c, "busy", "192.168.100.57");
    await c.untilAnswering("192.168.100.57");
    await c.untilStatus(c.daemon("node1"), /health +ok/);
  });

  test("a status that is written by hand is put right, and no other address goes", async () => {
    const c = cluster();
    await c.createService("edited", { loadBalancerIP: "192.168.100.58" });
    await untilHas(c, "edited", "192.168.100.58");
    const before = await versionOf(c, "bystander");
    const wrong = [[], ["192.168.100.50"], ["10.9.9.9"], ["192.168.100.58", "192.168.100.59"]];
    for (const ips of wrong)
      await write(
        "edited",
        ips.map((ip) => ({ ip })),
      );
    await write("edited", [{ hostname: "lb.example" }]);
    await write("edited", [{ ip: "192.168.100.58", ipMode: "Proxy" }]);
    const read = () => c.controlPlane.get<SeenService>("service", "edited");
    await eventually("the mode that kube-proxies forward in", read, {
      until: ({ status }) => status?.loadBalancer?.ingress?.[0]?.ipMode === "VIP",
    });
    assert.equal(await versionOf(c, "bystander"), before);
  });

  test("annotations with garbage are told, and the Service keeps what it has", async () => {
    const c = cluster();
    const garbage = { "metallb.io/loadBalancerIPs": "\u0000; DROP TABLE vips; {{ .Values }} 🦄" };
    await c.createService("tidy");
    const address = await c.addressOf("tidy");
    await patch("tidy", { metadata: { annotations: garbage } });
    const { note } = await c.untilEvent("tidy", "LoadBalancerFailed");
    assert.match(note, /DROP TABLE vips/);
    assert.deepEqual((await c.service("tidy")).addresses, [address]);
  });
});

/** Whatever can be changed of a Service that has an address to itself. */
function harmlessEdit(i: number): object {
  const annotations = { note: `${i}`, "metallb.io/allow-shared-ip": i % 3 === 0 ? "key" : null };
  const labels = { edit: `${i}`, tier: i % 2 === 0 ? "edge" : null };
  const spec = {
    ports: [{ port: 80 + (i % 5) }],
    sessionAffinity: i % 2 === 0 ? "None" : "ClientIP",
  };
  return { metadata: { annotations, labels }, spec };
}

/** Each asks for something else; some of it cannot be had. */
function editOf(i: number): object {
  const wanted = ["192.168.100.55", "192.168.100.50", "10.1.1.1", null];
  return {
    metadata: {
      annotations: {
        "metallb.io/allow-shared-ip": i % 3 === 0 ? "busy" : null,
        "metallb.io/address-pool": i % 7 === 6 ? "no-such-pool" : null,
      },
    },
    spec: {
      loadBalancerIP: wanted[i % wanted.length],
      ports: [{ port: 80 + (i % 5) }],
      externalTrafficPolicy: i % 2 === 0 ? "Cluster" : "Local",
    },
  };
}

async function untilHas(c: DaemonCluster, name: string, address: string): Promise<void> {
  await eventually(`${name} to have ${address}`, () => c.service(name), {
    timeoutMs: TIMEOUT_MS,
    intervalMs: INTERVAL_MS,
    until: ({ addresses }) => addresses.join() === address,
  });
}

/** It changes with every write. */
async function versionOf(c: DaemonCluster, name: string): Promise<string> {
  return (await c.controlPlane.get<SeenService>("service", name)).metadata.resourceVersion;
}

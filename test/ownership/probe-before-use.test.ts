// Addresses that another host on the segment has already, against the real API server: they are
// passed over, or waited for where they are asked for; what is free is known before it is needed.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { clusterForSuite, type DaemonCluster } from "../cluster/support/daemon-cluster.ts";
import { eventually } from "../lab/eventually.ts";
import type { LabHost } from "../lab/host.ts";

/** `.70` to `.89`: nothing is known of it before the foreign host has addresses of it. */
const POOL = `
apiVersion: metallb.io/v1beta1
kind: IPAddressPool
metadata: {name: lan, namespace: metallb-system}
spec: {addresses: ["192.168.100.70-192.168.100.89"]}
`;
const address = (last: number): string => `192.168.100.${last}`;
/** Probes of the quarantine after 5, 15 and 35 s, two without an answer, and a slow machine. */
const QUARANTINE_MS = 90_000;
const AHEAD_OF_NEED = 8;

function foreign(c: DaemonCluster): LabHost {
  const { foreignHost } = c.lab;
  assert.ok(foreignHost !== null);
  return foreignHost;
}

async function setForeign(c: DaemonCluster, how: "add" | "del", last: number): Promise<void> {
  await foreign(c).run(["ip", "address", how, `${address(last)}/32`, "dev", "eth0"]);
}

async function untilHas(c: DaemonCluster, name: string, timeoutMs = 20_000): Promise<string> {
  const found = await eventually(`an address of ${name}`, () => c.service(name), {
    timeoutMs,
    until: ({ addresses }) => addresses.length > 0,
  });
  return found.addresses.join();
}

/** The daemon that leads, once one does. */
async function leader(c: DaemonCluster) {
  const read = async () => {
    const daemons = [...c.daemons.values()];
    const all = await Promise.all(daemons.map((daemon) => daemon.lbctl(["status", "-o", "json"])));
    const found = all.findIndex(({ stdout }) => JSON.parse(stdout).item.leader.isThisNode);
    return daemons[found];
  };
  const until = (daemon: unknown): boolean => daemon !== undefined;
  const found = await eventually("a leader", read, { timeoutMs: 20_000, until });
  return found ?? assert.fail();
}

async function counters(c: DaemonCluster): Promise<Record<string, number>> {
  const { stdout } = await (await leader(c)).lbctl(["status", "-o", "json"]);
  return JSON.parse(stdout).item.counters;
}

async function explain(c: DaemonCluster, subject: string): Promise<string> {
  return (await (await leader(c)).lbctl(["explain", subject])).stdout;
}

/** It was asked for, and nobody answered, as far as the leader remembers. */
async function untilKnownFree(c: DaemonCluster, subject: string): Promise<void> {
  await eventually(`${subject} to be asked for`, () => explain(c, subject), {
    timeoutMs: 20_000,
    intervalMs: 300,
    until: (text) => /nobody answered for it when it was asked for/.test(text),
  });
}

/** Long before it would be asked for anew. */
async function untilQuarantined(c: DaemonCluster, subject: string): Promise<void> {
  await eventually(`${subject} to be quarantined`, () => explain(c, subject), {
    timeoutMs: 10_000,
    until: (text) => /quarantined: host /.test(text),
  });
}

describe("an address that another host has", () => {
  const cluster = clusterForSuite({ nodes: 2, foreignHost: true });

  test("is passed over: the Service gets the next one, and an Event says who has it", async () => {
    const c = cluster();
    await leader(c);
    await setForeign(c, "add", 70);
    await c.controlPlane.apply(POOL);
    await c.createService("first");
    assert.equal(await untilHas(c, "first"), address(71));
    const { type, note } = await c.untilEvent("first", "addressInUse");
    assert.equal(type, "Warning");
    assert.match(note, /"192\.168\.100\.70" is passed over/);
    assert.ok(note.includes(foreign(c).mac()), note);
    assert.match(await explain(c, address(70)), /quarantined: host .* answers for it/);
    await c.untilAnswering(address(71));
  });

  test("and is asked for leads to a warning, and is given once that host is gone", async () => {
    const c = cluster();
    await setForeign(c, "add", 85);
    await c.createService("wanted", { loadBalancerIP: address(85) });
    const { type, note } = await c.untilEvent("wanted", "AllocationFailed");
    assert.equal(type, "Warning");
    assert.match(note, /"192\.168\.100\.85" is in use on the network/);
    assert.ok(note.includes(foreign(c).mac()), note);
    assert.match(await explain(c, "default/wanted"), /is in use on the network/);
    assert.deepEqual((await c.service("wanted")).addresses, []);
    await setForeign(c, "del", 85);
    assert.equal(await untilHas(c, "wanted", QUARANTINE_MS), address(85));
    const failed = (await c.events("wanted")).filter(({ reason }) => reason === "AllocationFailed");
    assert.equal(failed.length, 1, "told once");
  });

  test("is not the address that a Service has already", async () => {
    const c = cluster();
    await setForeign(c, "add", 71);
    await c.createService("second");
    assert.equal(await untilHas(c, "second"), address(72));
    assert.deepEqual((await c.service("first")).addresses, [address(71)]);
    await setForeign(c, "del", 71);
  });

  test("or not is known before it is needed: a Service does not wait for a probe", async () => {
    const c = cluster();
    const known = () => counters(c);
    const before = await eventually("the next addresses to be probed", known, {
      timeoutMs: 20_000,
      intervalMs: 300,
      until: (now) => (now["probe-free"] ?? 0) >= AHEAD_OF_NEED,
    });
    await c.createService("third");
    assert.equal(await untilHas(c, "third"), address(73));
    const now = await counters(c);
    assert.equal(now["probe-waited"], before["probe-waited"]);
    assert.equal(now["probe-unprobed"], 0);
  });

  test("or not is found out for many at once", async () => {
    const c = cluster();
    const names = Array.from({ length: 11 }, (_, i) => `burst-${i}`);
    await c.createServices(names.map((name) => ({ name })));
    const got = await Promise.all(names.map((name) => untilHas(c, name)));
    const expected = [74, 75, 76, 77, 78, 79, 80, 81, 82, 83, 84].map(address);
    assert.deepEqual(got.toSorted(), expected);
  });

  test("of the nodes' own is no other host's: what is freed can be had again at once", async () => {
    const c = cluster();
    await c.untilAnswering(address(73));
    await c.deleteService("third");
    await c.createService("fourth", { loadBalancerIP: address(73) });
    assert.equal(await untilHas(c, "fourth"), address(73));
    assert.equal(
      (await c.events("fourth")).some(({ type }) => type === "Warning"),
      false,
    );
  });

  test("since it was asked for is noticed without a question, once it is heard", async () => {
    const c = cluster();
    for (const last of [86, 87, 88]) await untilKnownFree(c, address(last));
    const waited = (await counters(c))["probe-waited"];
    await setForeign(c, "add", 86);
    await foreign(c).run(["arping", "-A", "-c", "1", "-I", "eth0", address(86)]);
    await untilQuarantined(c, address(86));
    // Nor does a host announce what it has: this one asks for another address from it.
    await setForeign(c, "add", 87);
    const from = ["-s", address(87), "-I", "eth0"];
    await foreign(c).tryRun(["arping", "-c", "1", "-w", "1", ...from, address(200)]);
    await untilQuarantined(c, address(87));
    assert.equal((await counters(c))["probe-sighted"], 2);
    await c.createService("fifth");
    assert.equal(await untilHas(c, "fifth"), address(88));
    const { note } = await c.untilEvent("fifth", "addressInUse");
    assert.ok(note.includes(foreign(c).mac()), note);
    assert.equal((await counters(c))["probe-waited"], waited);
  });
});

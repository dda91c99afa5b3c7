// Tests of the snapshot that the metrics are made from: where each value is read in the daemon.

import assert from "node:assert/strict";
import { test } from "node:test";
import { type MetricsSources, snapshotOf } from "../../../src/daemon/metrics-task.ts";
import { ip, pool } from "../../support/ipam-requests.ts";
import { node, resource, service } from "../../support/kubernetes-objects.ts";
import { UNMEASURED } from "../../support/unmeasured.ts";
import { type Harness, joinCluster, viewsOf, vipRecord } from "./views-harness.ts";

const VIP = ip("10.0.0.1");
const POOL = resource("lan", { addresses: ["10.0.0.0/30"] });
const EVERYWHERE = resource("all");
const SHARED = ["a/tcp", "a/udp"].map((key) => service(key, { ips: [VIP] }));
const OBJECTS = { pools: [POOL], advertisements: [EVERYWHERE], services: SHARED };

const REPORT = {
  counters: {
    "arp-answered": 5,
    "arp-tenure-lapsed": 2,
    "arp-sent": 9,
    "arp-send-failed": 1,
    "arp-announced": 3,
    "ndp-answered": 8,
    "ndp-rate-limited": 4,
    "ndp-sent": 10,
    "beacon-sent": 30,
    "beacon-received": 20,
    "beacon-sendFailed": 4,
    "beacon-foreign": 6,
    "beacon-drop-replay": 7,
  },
  vips: [],
  problems: [],
  peers: [],
  groupProblem: null,
  ...UNMEASURED,
  foreignClusters: [],
};

function sourcesOf(harness: Harness, changes: Partial<MetricsSources> = {}): MetricsSources {
  const { views, cluster, store, ownership, clock, allocation } = harness;
  return {
    file: { nodeName: "n1", metrics: { address: "127.0.0.1", port: 0 } },
    clock,
    log: { warn: () => assert.fail(), info: () => assert.fail(), error: () => assert.fail() },
    views,
    cluster,
    ownership,
    client: {
      counts: () => new Map([["ok", 8]]),
      durations: () => new Map([["GET", { bounds: [1], counts: [3, 0], sum: 0.5 }]]),
    },
    bgp: { sessionCounts: () => [], announcedAddresses: () => [] },
    writer: { counts: () => ({ written: 2, conflict: 1, failed: 0 }) },
    events: { counts: () => ({ written: 4, repeated: 3, dropped: 2, refused: 1, queued: 9 }) },
    responder: {
      report: () => REPORT,
      refresh: async () => {},
      answersFor: (address) => ({ address, answered: 5, lastAnswer: null, announced: 12 }),
    },
    wireTruth: { counters: () => ({ "wire-answered": 6, "wire-two": 0 }) },
    leading: { leader: { isLeading: true }, allocation, probes: PROBES },
    store,
    journal: { counts: () => [{ change: "gained", cause: "unheld", count: 1 }] },
    ...changes,
  };
}

const PROBES = {
  counters: () => ({ "probe-free": 9, "probe-used": 2, "probe-waited": 4, quarantined: 1 }),
};

const MORE = { loopDelays: new Map([["1", 0.25]]), startedAt: 1_700_000_000 };

test("snapshotOf() an owner tells its VIP, with all Services that share it", (t) => {
  const harness = viewsOf(t, { ...OBJECTS, nodes: [node("n1")] });
  joinCluster(harness, { vips: [vipRecord(VIP, "n1", 3)], members: [] });
  const { owned, vips, isHoldover, lapses } = snapshotOf(sourcesOf(harness), MORE);
  assert.deepEqual(owned, [
    { address: VIP, services: ["a/tcp", "a/udp"], answered: 5, announced: 12 },
  ]);
  assert.deepEqual({ vips, isHoldover, lapses }, { vips: 1, isHoldover: false, lapses: 0 });
});

test("snapshotOf() a node that owns nothing, before the responder has told anything", (t) => {
  const responder = {
    report: () => ({ ...REPORT, counters: {} }),
    refresh: async () => {},
    answersFor: () => null,
  };
  const { owned, arp, beacons } = snapshotOf(sourcesOf(viewsOf(t, OBJECTS), { responder }), MORE);
  assert.deepEqual(owned, []);
  assert.deepEqual([...new Set(arp.receivedByOutcome.values())], [0], "every outcome, from zero");
  assert.deepEqual([arp.sent, beacons.sent, beacons.received], [0, 0, 0]);
});

test("snapshotOf() tells pools on the leader alone, as the allocator has them", (t) => {
  const harness = viewsOf(t, { ...OBJECTS, services: SHARED.slice(0, 1) });
  harness.allocation.configure([pool("lan", ["10.0.0.0/30"])], new Map());
  harness.allocation.lead();
  const { allocation } = harness;
  const [lan] = snapshotOf(sourcesOf(harness), MORE).pools ?? [];
  assert.deepEqual([lan?.pool, lan?.assignedIpv4, lan?.availableIpv4], ["lan", 1, 3]);
  // Its time is over, and it has not noticed yet.
  const leading = { leader: { isLeading: false }, allocation, probes: PROBES };
  assert.equal(snapshotOf(sourcesOf(harness, { leading }), MORE).pools, null);
});

test("snapshotOf() tells the responder's counters by what they are about", (t) => {
  const { arp, ndp, beacons, wireChecksByVerdict } = snapshotOf(
    sourcesOf(viewsOf(t, OBJECTS)),
    MORE,
  );
  assert.deepEqual([arp.sent, arp.sendFailures, arp.announcements], [9, 1, 3]);
  assert.equal(arp.receivedByOutcome.get("answered"), 5);
  assert.equal(arp.receivedByOutcome.get("tenure-lapsed"), 2);
  assert.deepEqual([ndp.sent, ndp.sendFailures, ndp.announcements], [10, 0, 0]);
  assert.equal(ndp.receivedByOutcome.get("answered"), 8);
  assert.equal(ndp.receivedByOutcome.get("rate-limited"), 4);
  assert.deepEqual([beacons.sent, beacons.sendFailures], [30, 4]);
  assert.equal(beacons.received, 26, "those included that the socket drops");
  assert.deepEqual(Object.fromEntries(beacons.dropsByReason), { replay: 7, "off-segment": 6 });
  assert.deepEqual(Object.fromEntries(wireChecksByVerdict), { answered: 6, two: 0 });
});

test("snapshotOf() tells what came of probes, every finding from zero", (t) => {
  const { probes } = snapshotOf(sourcesOf(viewsOf(t, OBJECTS)), MORE);
  assert.deepEqual(Object.fromEntries(probes.endedByFinding), { free: 9, used: 2, unprobed: 0 });
  assert.deepEqual([probes.waits, probes.sightings, probes.quarantined], [4, 0, 1]);
});

test("snapshotOf() tells of a configuration that is refused after a valid one", (t) => {
  const harness = viewsOf(t, OBJECTS);
  const before = snapshotOf(sourcesOf(harness), MORE);
  assert.deepEqual([before.isConfigLoaded, before.isConfigStale], [true, false]);
  harness.cluster.configSink("pool").upsert(resource("bad", { addresses: ["x"] }));
  const after = snapshotOf(sourcesOf(harness), MORE);
  assert.deepEqual([after.isConfigLoaded, after.isConfigStale], [true, true]);
  assert.equal(after.updateErrors, before.updateErrors + 1);
  assert.equal(after.findingsByKind.get("configuration"), 1);
});

test("snapshotOf() a daemon whose first configuration is refused has loaded none", (t) => {
  const bad = resource("bad", { addresses: ["x"] });
  const harness = viewsOf(t, { ...OBJECTS, pools: [bad] });
  const { isConfigLoaded, isConfigStale } = snapshotOf(sourcesOf(harness), MORE);
  assert.deepEqual([isConfigLoaded, isConfigStale], [false, true]);
});

test("snapshotOf() tells requests, Leases, Events, disk and process", (t) => {
  const snapshot = snapshotOf(sourcesOf(viewsOf(t, OBJECTS)), MORE);
  assert.deepEqual(Object.fromEntries(snapshot.apiRequestsByOutcome), { ok: 8 });
  const leases = Object.fromEntries(snapshot.leaseWritesByOutcome);
  assert.deepEqual(leases, { written: 2, conflict: 1, failed: 0 });
  const events = Object.fromEntries(snapshot.eventsByOutcome);
  assert.deepEqual(events, { written: 4, repeated: 3, dropped: 2, refused: 1 });
  assert.ok(
    snapshot.storeBytes > 0 && snapshot.process.cpuSeconds > 0 && snapshot.process.rssBytes > 0,
  );
  assert.deepEqual(
    [snapshot.process.startedAt, snapshot.loopDelays],
    [1_700_000_000, { main: MORE.loopDelays, responder: new Map() }],
  );
});

// Tests of the metrics as samples: what of a daemon becomes which series, and which series is gone.

import assert from "node:assert/strict";
import { test } from "node:test";
import { METRICS } from "../../../src/metrics/catalog.ts";
import { NEW_DAEMON, samplesOf } from "./snapshots.ts";

const POOL = {
  pool: "lan",
  assignedIpv4: 3,
  assignedIpv6: 1,
  availableIpv4: 7,
  availableIpv6: 15,
};
const VIP = { address: "10.0.0.1", services: ["a/web"], answered: 5, announced: 12 };

const SESSION = {
  ...{ peer: "10.9.0.1:179", vrf: "", isUp: true, announced: 3, messages: { opensSent: 1 } },
  bfd: { isUp: true, counters: { "session-up": 2 } },
};

test("metrics have names of their own, and samples have the labels of their metric", () => {
  const names = METRICS.map(({ name }) => name);
  assert.deepEqual(names, [...new Set(names)]);
  const counts = new Map([["x", 1]]);
  const full = {
    ...NEW_DAEMON,
    pools: [POOL],
    owned: [VIP],
    bgpSessions: [SESSION],
    bgpAnnounced: [{ service: "a/b", address: "10.0.0.1" }],
    changes: [
      { change: "gained", cause: "unheld", count: 1 },
      { change: "conflict", cause: "peer", count: 1 },
    ],
    beacons: { ...NEW_DAEMON.beacons, dropsByReason: counts },
    arp: { ...NEW_DAEMON.arp, receivedByOutcome: counts },
    ndp: { ...NEW_DAEMON.ndp, receivedByOutcome: counts },
    probes: { ...NEW_DAEMON.probes, endedByFinding: counts },
    wireChecksByVerdict: counts,
    findingsByKind: counts,
    apiRequestsByOutcome: counts,
    leaseWritesByOutcome: counts,
    eventsByOutcome: counts,
    apiDurationsByMethod: new Map([["GET", NEW_DAEMON.claims]]),
    loopDelays: { main: counts, responder: counts },
  };
  for (const { name, labels, read } of METRICS) {
    const samples = read(full);
    assert.ok(samples.length > 0, name);
    for (const sample of samples) assert.deepEqual(Object.keys(sample.labels), [...labels], name);
  }
});

test("a pool on the leader is counted by family and in total", () => {
  assert.deepEqual(samplesOf({ pools: [POOL] }, "metallb_allocator_"), [
    "metallb_allocator_addresses_total{pool=lan} 26",
    "metallb_allocator_addresses_in_use_total{pool=lan} 4",
    "metallb_allocator_ipv4_addresses_total{pool=lan} 10",
    "metallb_allocator_ipv4_addresses_in_use_total{pool=lan} 3",
    "metallb_allocator_ipv6_addresses_total{pool=lan} 16",
    "metallb_allocator_ipv6_addresses_in_use_total{pool=lan} 1",
  ]);
  assert.deepEqual(samplesOf({ pools: [POOL] }, "lbd_leader"), ["lbd_leader{} 1"]);
});

test("a node that does not lead says nothing of pools", () => {
  assert.deepEqual(samplesOf({}, "metallb_allocator_"), []);
  assert.deepEqual(samplesOf({}, "lbd_leader"), ["lbd_leader{} 0"]);
});

test("a leader without pools still leads", () => {
  assert.deepEqual(samplesOf({ pools: [] }, "metallb_allocator_"), []);
  assert.deepEqual(samplesOf({ pools: [] }, "lbd_leader"), ["lbd_leader{} 1"]);
});

test("an owned address is announced once for each Service that shares it", () => {
  const owned = [{ ...VIP, services: ["a/tcp", "a/udp"] }];
  assert.deepEqual(samplesOf({ owned }, "metallb_speaker_announced"), [
    "metallb_speaker_announced{service=a/tcp,protocol=layer2,node=n1,ip=10.0.0.1} 1",
    "metallb_speaker_announced{service=a/udp,protocol=layer2,node=n1,ip=10.0.0.1} 1",
  ]);
});

test("an owned address has its own counters, which go with it", () => {
  assert.deepEqual(samplesOf({ owned: [VIP] }, "metallb_layer2_"), [
    "metallb_layer2_requests_received{ip=10.0.0.1} 5",
    "metallb_layer2_responses_sent{ip=10.0.0.1} 5",
    "metallb_layer2_gratuitous_sent{ip=10.0.0.1} 12",
  ]);
  assert.deepEqual(samplesOf({ owned: [] }, "metallb_layer2_"), []);
  assert.deepEqual(samplesOf({ owned: [] }, "metallb_speaker_"), []);
});

test("a configuration that is refused after a valid one is loaded, and stale", () => {
  const state = { isConfigLoaded: true, isConfigStale: true, updates: 7, updateErrors: 1 };
  assert.deepEqual(samplesOf(state, "metallb_k8s_client_"), [
    "metallb_k8s_client_updates_total{} 7",
    "metallb_k8s_client_update_errors_total{} 1",
    "metallb_k8s_client_config_loaded_bool{} 1",
    "metallb_k8s_client_config_stale_bool{} 1",
  ]);
});

test("changes of owner are counted by reason; conflicts and the wire are no changes", () => {
  const changes = [
    { change: "gained", cause: "owner-silent", count: 2 },
    { change: "lost", cause: "handed-over", count: 1 },
    { change: "moved", cause: "observed", count: 4 },
    { change: "conflict", cause: "defended", count: 3 },
    { change: "wire", cause: "nobody", count: 9 },
  ];
  assert.deepEqual(samplesOf({ changes }, "lbd_owner_changes_total"), [
    "lbd_owner_changes_total{change=gained,reason=owner-silent} 2",
    "lbd_owner_changes_total{change=lost,reason=handed-over} 1",
    "lbd_owner_changes_total{change=moved,reason=observed} 4",
  ]);
  assert.deepEqual(samplesOf({ changes }, "lbd_conflicts_total"), [
    "lbd_conflicts_total{resolution=defended} 3",
  ]);
});

test("what is counted by name becomes one series for each name", () => {
  const counts = new Map([
    ["ok", 5],
    ["timeout", 1],
  ]);
  assert.deepEqual(samplesOf({ apiRequestsByOutcome: counts }, "lbd_api_requests_total"), [
    "lbd_api_requests_total{outcome=ok} 5",
    "lbd_api_requests_total{outcome=timeout} 1",
  ]);
});

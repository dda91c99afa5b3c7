// A daemon's parts as the views read them, put together without I/O: an ownership machine that is
// stepped by hand, an allocator whose writes never end, and a responder that does not run.

import assert from "node:assert/strict";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { DEFAULT_BEACON_SETTINGS } from "../../../src/beacon/engine-types.ts";
import { bootMs, wallMs } from "../../../src/core/time.ts";
import { AllocationController } from "../../../src/daemon/allocation-controller.ts";
import type { ApiHealth } from "../../../src/daemon/api-health.ts";
import { NO_BGP_YET } from "../../../src/daemon/bgp-task.ts";
import { LeaseWriter } from "../../../src/daemon/lease-writer.ts";
import { OwnershipDriver } from "../../../src/daemon/ownership-driver.ts";
import { Responder } from "../../../src/daemon/responder.ts";
import { ServiceEvents } from "../../../src/daemon/service-events.ts";
import type { ViewSources } from "../../../src/daemon/views.ts";
import { Views } from "../../../src/daemon/views.ts";
import { LeaseClient } from "../../../src/k8s-sync/leases.ts";
import { DEFAULT_TIMINGS } from "../../../src/ownership/timings.ts";
import type { MemberRecord, OwnershipEvent, VipRecord } from "../../../src/ownership/types.ts";
import { Store } from "../../../src/store/store.ts";
import { ip } from "../../support/ipam-requests.ts";
import type { ClusterObjects } from "../../support/kubernetes-objects.ts";
import { clusterOf } from "../../support/kubernetes-objects.ts";
import { tempDir } from "../../support/temp-dir.ts";
import { nothingFormer } from "./former-harness.ts";

export const STARTED_MS = 1_000;
const LISTENS_FROM_MS = STARTED_MS - DEFAULT_TIMINGS.holdMs;

export const HEALTHY_API: ApiHealth = {
  failures: new Map(),
  leaseFailure: null,
  isReachable: true,
  lastContactAt: bootMs(STARTED_MS),
  trouble: null,
  credentials: [],
};

export interface Harness {
  readonly views: Views;
  readonly store: Store;
  readonly cluster: ViewSources["cluster"];
  readonly ownership: OwnershipDriver;
  readonly clock: ViewSources["clock"];
  readonly allocation: AllocationController;
  /** Tells the machine something, at the present time. */
  readonly step: (event: OwnershipEvent) => void;
  readonly setNow: (milliseconds: number) => void;
}

const NO_BGP: ViewSources["bgp"] = {
  ...{ findings: () => [], peerViews: async () => [], routeViews: () => [] },
  ...{ remaining: () => [], state: NO_BGP_YET },
};

/** The views of node n1, which leads; `changes` replace what they read. */
export function viewsOf(
  context: Pick<TestContext, "after">,
  objects: ClusterObjects,
  changes: Partial<ViewSources> = {},
): Harness {
  let now = bootMs(STARTED_MS);
  const clock = { boot: () => now, wall: () => wallMs(0) };
  const leases = new LeaseClient({ request: () => assert.fail("no request is due") }, "lbd-system");
  const ownership = new OwnershipDriver({
    node: "n1",
    identity: "n1/1",
    nodeUid: () => null,
    answers: () => "yes",
    timings: DEFAULT_TIMINGS,
    preempt: false,
    clock,
    leases,
    writer: new LeaseWriter({ leases, clock }),
    namesake: { isSilencing: false },
    atOnce: (work) => work(),
    ...{ tellResponder() {}, onChange() {}, onConflict() {} },
    ...{ onRead() {}, onUnread() {} },
  });
  ownership.machine.start(bootMs(LISTENS_FROM_MS));
  const cluster = clusterOf(objects);
  const store = Store.open(join(tempDir(context), "state.db"), wallMs(0));
  context.after(() => store.close());
  const allocation = new AllocationController({
    services: () => cluster.services,
    patch: () => new Promise(() => {}),
    events: new ServiceEvents({ node: "n1", record: () => {} }),
    isLeader: () => true,
    later: () => {},
    wire: { use: () => "free", handedOut: () => {} },
    former: nothingFormer(),
  });
  const views = new Views({
    node: "n1",
    clock,
    startedAt: bootMs(STARTED_MS),
    server: () => "https://api:6443",
    cluster,
    ownership,
    allocation,
    responder: new Responder({
      start: { node: "n1", incarnation: 1, settings: DEFAULT_BEACON_SETTINGS, port: 1 },
      ...{ onAsked() {}, onSeen() {}, onProbed() {}, onSighted() {}, onProblems() {} },
      ...{ onPeer() {}, onHeard() {}, onReady() {} },
    }),
    store,
    drain: { cause: null, force: false },
    leader: () => ({ node: "n1", isThisNode: true }),
    api: () => HEALTHY_API,
    host: () => ({ missingInterfaces: [], linkFailure: null }),
    reserved: () => ({ all: new Map(), ofHosts: new Map() }),
    probes: { note: () => null, quarantined: () => [] },
    planner: { plan: () => assert.fail("no plan is due") },
    rivals: { whyNotAllocating: null, whyMuted: null },
    bgp: NO_BGP,
    counters: () => ({}),
    happenings: { follow: () => () => {} },
    wireAsks: { who: () => assert.fail("nobody is asked") },
    ...changes,
  });
  const step = (event: OwnershipEvent): void => void ownership.machine.step(event, now);
  const setNow = (milliseconds: number): void => {
    now = bootMs(milliseconds);
  };
  return { views, store, cluster, ownership, clock, allocation, step, setNow };
}

export function member(node: string, changes: Partial<MemberRecord> = {}): MemberRecord {
  const holder = `${node}/1`;
  return { node, holder, renewal: "1", resourceVersion: "1", segments: null, ...changes };
}

export function vipRecord(address: string, owner: string | null, epoch: number): VipRecord {
  return { address: ip(address), owner, epoch, resourceVersion: "1" };
}

/** What a node learns until STARTED_MS: its VIPs, its segment eth0, and all Leases. */
export function joinCluster(
  harness: Pick<Harness, "step" | "setNow" | "cluster">,
  records: { vips: readonly VipRecord[]; members: readonly MemberRecord[] },
): void {
  const { step, setNow, cluster } = harness;
  setNow(LISTENS_FROM_MS);
  const prefixes = [{ family: 4, start: 0n, end: 2n ** 32n - 1n, length: 0 }] as const;
  step({ type: "vips", ...cluster.takeVips() });
  step({ type: "segments", segments: [{ interface: "eth0", prefixes }] });
  step({ type: "records-read", records });
  const outcome = { kind: "written", record: member("n1") } as const;
  step({ type: "presence-written", sentAt: bootMs(LISTENS_FROM_MS), outcome });
  // Once it is confirmed, it asks for the records again; and it listens for a hold.
  step({ type: "records-read", records });
  setNow(STARTED_MS);
  step({ type: "tick" });
}

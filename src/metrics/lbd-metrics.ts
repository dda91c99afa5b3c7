// lbd's own metrics, and the three of the process that every exporter has.

import { by, counter, gauge, histogram, type Metric, type Sample } from "./metric.ts";
import type { FrameCounts, Snapshot } from "./snapshot.ts";

type CountsBy = (snapshot: Snapshot) => Iterable<readonly [string, number]>;

function countedBy(label: string, about: Pick<Metric, "name" | "help">, read: CountsBy): Metric {
  return { ...about, type: "counter", labels: [label], read: (s) => by(label, read(s)) };
}

function gaugedBy(label: string, about: Pick<Metric, "name" | "help">, read: CountsBy): Metric {
  return { ...about, type: "gauge", labels: [label], read: (s) => by(label, read(s)) };
}

const buildInfo: Metric = {
  name: "lbd_build_info",
  type: "gauge",
  help: "Always 1",
  labels: ["version"],
  read: ({ version }) => [{ labels: { version }, value: 1 }],
};

const ownerChanges: Metric = {
  name: "lbd_owner_changes_total",
  type: "counter",
  help: "VIPs gained and lost by this node, and seen to move between others",
  labels: ["change", "reason"],
  read: ({ changes }) =>
    changes
      .filter(({ change }) => ["gained", "lost", "moved"].includes(change))
      .map(({ change, cause, count }): Sample => {
        return { labels: { change, reason: cause }, value: count };
      }),
};

function conflicts({ changes }: Snapshot): (readonly [string, number])[] {
  const rows = changes.filter(({ change }) => change === "conflict");
  return rows.map(({ cause, count }) => [cause, count]);
}

const STATE: readonly Metric[] = [
  buildInfo,
  gauge({ name: "lbd_leader", help: "1 on the node that allocates" }, (s) => s.pools !== null),
  gauge(
    { name: "lbd_holdover", help: "1 while Leases cannot be written, and beacons decide alone" },
    (s) => s.isHoldover,
  ),
  gauge({ name: "lbd_vips", help: "Addresses that Services have" }, (s) => s.vips),
  gauge({ name: "lbd_vips_owned", help: "VIPs of this node" }, (s) => s.owned.length),
  gaugedBy(
    "kind",
    { name: "lbd_findings", help: "What lbctl status names, by kind" },
    (s) => s.findingsByKind,
  ),
];

const OWNERSHIP: readonly Metric[] = [
  ownerChanges,
  countedBy(
    "resolution",
    { name: "lbd_conflicts_total", help: "Other hosts that answered for a VIP of this node" },
    conflicts,
  ),
  countedBy(
    "verdict",
    { name: "lbd_wire_checks_total", help: "Who answered on the wire for VIPs of other nodes" },
    (s) => s.wireChecksByVerdict,
  ),
  counter(
    { name: "lbd_tenure_lapses_total", help: "Tenures that ended on an interface by themselves" },
    (s) => s.lapses,
  ),
  histogram(
    { name: "lbd_claim_duration_seconds", help: "From the claim of a VIP to the first answer" },
    (s) => s.claims,
  ),
];

const WIRE: readonly Metric[] = [
  counter({ name: "lbd_beacons_sent_total", help: "Datagrams to peers" }, (s) => s.beacons.sent),
  counter(
    { name: "lbd_beacons_send_failures_total", help: "Datagrams that could not be sent" },
    (s) => s.beacons.sendFailures,
  ),
  counter(
    { name: "lbd_beacons_received_total", help: "Datagrams received, dropped ones included" },
    (s) => s.beacons.received,
  ),
  countedBy(
    "reason",
    { name: "lbd_beacons_dropped_total", help: "Datagrams that were not believed or not needed" },
    (s) => s.beacons.dropsByReason,
  ),
  histogram(
    { name: "lbd_beacon_lateness_seconds", help: "How late the beacons of peers come" },
    (s) => s.beacons.lateness,
  ),
  histogram(
    { name: "lbd_tenure_margin_seconds", help: "What is left of a tenure when a beacon leaves" },
    (s) => s.beacons.margin,
  ),
  ...framesOf("arp", "ARP", (s) => s.arp),
  ...framesOf("ndp", "Neighbor Discovery", (s) => s.ndp),
];

function framesOf(
  name: "arp" | "ndp",
  word: string,
  counts: (snapshot: Snapshot) => FrameCounts,
): readonly Metric[] {
  return [
    countedBy(
      "outcome",
      { name: `lbd_${name}_frames_received_total`, help: `${word}: frames by what was done` },
      (s) => counts(s).receivedByOutcome,
    ),
    counter(
      { name: `lbd_${name}_frames_sent_total`, help: `${word}: answers, announcements, probes` },
      (s) => counts(s).sent,
    ),
    counter(
      { name: `lbd_${name}_send_failures_total`, help: `${word}: frames that could not be sent` },
      (s) => counts(s).sendFailures,
    ),
    counter(
      { name: `lbd_${name}_announcements_total`, help: `${word}: VIPs announced on an interface` },
      (s) => counts(s).announcements,
    ),
  ];
}

const PROBES: readonly Metric[] = [
  countedBy(
    "finding",
    { name: "lbd_address_probes_total", help: "Addresses asked for before they are handed out" },
    (s) => s.probes.endedByFinding,
  ),
  counter(
    { name: "lbd_address_probe_waits_total", help: "Probes that a Service had to wait for" },
    (s) => s.probes.waits,
  ),
  counter(
    { name: "lbd_address_sightings_total", help: "Free addresses that a host came to use" },
    (s) => s.probes.sightings,
  ),
  gauge(
    { name: "lbd_addresses_quarantined", help: "Addresses withheld because a host uses them" },
    (s) => s.probes.quarantined,
  ),
];

const KUBERNETES: readonly Metric[] = [
  countedBy(
    "outcome",
    { name: "lbd_api_requests_total", help: "Requests to the Kubernetes API" },
    (s) => s.apiRequestsByOutcome,
  ),
  {
    name: "lbd_api_request_duration_seconds",
    help: "How long requests to the Kubernetes API took, those that failed included",
    type: "histogram",
    labels: ["method"],
    read: (s) => by("method", s.apiDurationsByMethod),
  },
  countedBy(
    "outcome",
    { name: "lbd_lease_writes_total", help: "Writes of Leases" },
    (s) => s.leaseWritesByOutcome,
  ),
  countedBy(
    "outcome",
    { name: "lbd_events_total", help: "Kubernetes Events by what became of them" },
    (s) => s.eventsByOutcome,
  ),
];

function delaysOf(thread: string, delays: ReadonlyMap<string, number>): Sample[] {
  return by("quantile", delays).map(({ labels, value }) => ({
    labels: { thread, ...labels },
    value,
  }));
}

const PROCESS: readonly Metric[] = [
  gauge({ name: "lbd_store_bytes", help: "Size of the state on disk" }, (s) => s.storeBytes),
  {
    name: "lbd_event_loop_delay_seconds",
    help: "How long one turn of a thread kept others waiting, since the last scrape",
    type: "gauge",
    labels: ["thread", "quantile"],
    read: ({ loopDelays: { main, responder } }) => [
      ...delaysOf("main", main),
      ...delaysOf("responder", responder),
    ],
  },
  counter(
    { name: "process_cpu_seconds_total", help: "User and system time of the process" },
    (s) => s.process.cpuSeconds,
  ),
  gauge(
    { name: "process_resident_memory_bytes", help: "Resident memory of the process" },
    (s) => s.process.rssBytes,
  ),
  gauge(
    { name: "process_start_time_seconds", help: "Start of the process in Unix time" },
    (s) => s.process.startedAt,
  ),
];

export const LBD_METRICS: readonly Metric[] = [
  ...STATE,
  ...OWNERSHIP,
  ...WIRE,
  ...PROBES,
  ...KUBERNETES,
  ...PROCESS,
];

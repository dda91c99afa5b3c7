// MetalLB's metrics, as far as lbd does what they are about: same names, labels and meaning, so
// that dashboards and alerts that were made for MetalLB go on working. What MetalLB's controller
// has is on the leader alone, what its speakers have on the owner alone.

import { counter, gauge, type Metric, type Sample } from "./metric.ts";
import type { BgpSession, OwnedVip, PoolCounts } from "./snapshot.ts";

type Reading = readonly [suffix: string, what: string, read: (pool: PoolCounts) => number];

const total4 = (pool: PoolCounts): number => pool.assignedIpv4 + pool.availableIpv4;
const total6 = (pool: PoolCounts): number => pool.assignedIpv6 + pool.availableIpv6;

const POOL_READINGS: readonly Reading[] = [
  ["addresses_total", "Addresses that can be given to Services", (p) => total4(p) + total6(p)],
  [
    "addresses_in_use_total",
    "Addresses that Services have",
    (p) => p.assignedIpv4 + p.assignedIpv6,
  ],
  ["ipv4_addresses_total", "IPv4 addresses that can be given to Services", total4],
  ["ipv4_addresses_in_use_total", "IPv4 addresses that Services have", (p) => p.assignedIpv4],
  ["ipv6_addresses_total", "IPv6 addresses that can be given to Services", total6],
  ["ipv6_addresses_in_use_total", "IPv6 addresses that Services have", (p) => p.assignedIpv6],
];

function ofPools([suffix, help, read]: Reading): Metric {
  return {
    name: `metallb_allocator_${suffix}`,
    type: "gauge",
    help,
    labels: ["pool"],
    read: ({ pools }) =>
      (pools ?? []).map((pool) => ({ labels: { pool: pool.pool }, value: read(pool) })),
  };
}

const announced: Metric = {
  name: "metallb_speaker_announced",
  type: "gauge",
  help: "Addresses of Services that this node answers for",
  labels: ["service", "protocol", "node", "ip"],
  read: ({ owned, bgpAnnounced, node }) => [
    ...owned.flatMap(({ address: ip, services }) =>
      services.map((service): Sample => {
        return { labels: { service, protocol: "layer2", node, ip }, value: 1 };
      }),
    ),
    ...bgpAnnounced.map(({ service, address: ip }): Sample => {
      return { labels: { service, protocol: "bgp", node, ip }, value: 1 };
    }),
  ],
};

function ofVips(suffix: string, help: string, read: (vip: OwnedVip) => number): Metric {
  return {
    name: `metallb_layer2_${suffix}`,
    type: "counter",
    help,
    labels: ["ip"],
    read: ({ owned }) => owned.map((vip) => ({ labels: { ip: vip.address }, value: read(vip) })),
  };
}

/** As MetalLB's FRR mode has them: a peer by address and port, and its VRF. */
const PEER_LABELS = ["peer", "vrf"] as const;

function ofSessions(
  type: "gauge" | "counter",
  suffix: string,
  [help, read]: readonly [string, (session: BgpSession) => number],
): Metric {
  return {
    ...{ name: `metallb_bgp_${suffix}`, type, help, labels: PEER_LABELS },
    read: ({ bgpSessions }) =>
      bgpSessions.map((one) => ({ labels: { peer: one.peer, vrf: one.vrf }, value: read(one) })),
  };
}

const MESSAGES: readonly (readonly [suffix: string, frr: string, help: string])[] = [
  ["opens_sent", "opensSent", "BGP OPEN messages sent"],
  ["opens_received", "opensRecv", "BGP OPEN messages received"],
  ["notifications_sent", "notificationsSent", "BGP NOTIFICATION messages sent"],
  ["updates_total", "updatesSent", "BGP UPDATE messages sent"],
  ["updates_total_received", "updatesRecv", "BGP UPDATE messages received"],
  ["keepalives_sent", "keepalivesSent", "BGP KEEPALIVE messages sent"],
  ["keepalives_received", "keepalivesRecv", "BGP KEEPALIVE messages received"],
  ["route_refresh_sent", "routeRefreshSent", "BGP ROUTE-REFRESH messages sent"],
  ["total_sent", "totalSent", "BGP messages sent"],
  ["total_received", "totalRecv", "BGP messages received"],
];
const BFD_COUNTS: readonly (readonly [suffix: string, frr: string, help: string])[] = [
  ["control_packet_input", "control-packet-input", "BFD control packets received"],
  ["control_packet_output", "control-packet-output", "BFD control packets sent"],
  ["echo_packet_input", "echo-packet-input", "BFD echo packets received"],
  ["echo_packet_output", "echo-packet-output", "BFD echo packets sent"],
  ["session_up_events", "session-up", "times that a BFD session came up"],
  ["session_down_events", "session-down", "times that a BFD session went down"],
  ["zebra_notifications", "zebra-notifications", "notifications of bfdd to FRR's other daemons"],
];

function ofBfd([suffix, frr, help]: (typeof BFD_COUNTS)[number]): Metric {
  const read = (bfd: NonNullable<BgpSession["bfd"]>): number => bfd.counters[frr] ?? 0;
  return bfdMetric("counter", suffix, [help, read]);
}

function bfdMetric(
  type: "gauge" | "counter",
  suffix: string,
  [help, read]: readonly [string, (bfd: NonNullable<BgpSession["bfd"]>) => number],
): Metric {
  return {
    ...{ name: `metallb_bfd_${suffix}`, type, help, labels: PEER_LABELS },
    read: ({ bgpSessions }) =>
      bgpSessions.flatMap(({ peer, vrf, bfd }) =>
        bfd === null ? [] : [{ labels: { peer, vrf }, value: read(bfd) }],
      ),
  };
}

const BGP_METRICS: readonly Metric[] = [
  ofSessions("gauge", "session_up", ["1 while the BGP session is up", (one) => Number(one.isUp)]),
  ofSessions("gauge", "announced_prefixes_total", [
    "Routes that the peer was told of",
    (one) => one.announced,
  ]),
  ...MESSAGES.map(([suffix, frr, help]) =>
    ofSessions("counter", suffix, [help, (one) => one.messages[frr] ?? 0]),
  ),
  bfdMetric("gauge", "session_up", ["1 while the BFD session is up", (bfd) => Number(bfd.isUp)]),
  ...BFD_COUNTS.map(ofBfd),
];

export const METALLB_METRICS: readonly Metric[] = [
  ...POOL_READINGS.map(ofPools),
  counter(
    { name: "metallb_k8s_client_updates_total", help: "Objects of the Kubernetes API taken in" },
    (s) => s.updates,
  ),
  counter(
    {
      name: "metallb_k8s_client_update_errors_total",
      help: "Configurations refused, and decisions that could not be written down",
    },
    (s) => s.updateErrors,
  ),
  gauge(
    {
      name: "metallb_k8s_client_config_loaded_bool",
      help: "1 when a valid configuration was read at least once",
    },
    (s) => s.isConfigLoaded,
  ),
  gauge(
    {
      name: "metallb_k8s_client_config_stale_bool",
      help: "1 while the configuration in the cluster is refused",
    },
    (s) => s.isConfigStale,
  ),
  announced,
  ...BGP_METRICS,
  // Of requests that are not answered neither MetalLB nor lbd counts any here.
  ofVips("requests_received", "ARP requests for an owned address", (vip) => vip.answered),
  ofVips("responses_sent", "ARP replies for an owned address", (vip) => vip.answered),
  ofVips("gratuitous_sent", "ARP announcements of an owned address", (vip) => vip.announced),
];

// MetalLB's metrics, as far as lbd does what they are about: same names, labels and meaning, so
// that dashboards and alerts that were made for MetalLB go on working. What MetalLB's controller
// has is on the leader alone, what its speakers have on the owner alone.

import { counter, gauge, type Metric, type Sample } from "./metric.ts";
import type { OwnedVip, PoolCounts } from "./snapshot.ts";

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
  read: ({ owned, node }) =>
    owned.flatMap(({ address: ip, services }) =>
      services.map((service): Sample => {
        return { labels: { service, protocol: "layer2", node, ip }, value: 1 };
      }),
    ),
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
  // Of requests that are not answered neither MetalLB nor lbd counts any here.
  ofVips("requests_received", "ARP requests for an owned address", (vip) => vip.answered),
  ofVips("responses_sent", "ARP replies for an owned address", (vip) => vip.answered),
  ofVips("gratuitous_sent", "ARP announcements of an owned address", (vip) => vip.announced),
];

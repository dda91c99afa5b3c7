// A cluster whose nodes have FRR, and a router on their segment that runs FRR, too. The router is
// the foreign host of the lab; clients are behind it.

import { clusterForSuite, type DaemonCluster } from "../../cluster/support/daemon-cluster.ts";
import { eventually } from "../../lab/eventually.ts";
import { LabFrr } from "../../lab/frr.ts";
import type { LabHost } from "../../lab/host.ts";
import type { LabNode } from "../../lab/node.ts";

export const NODE_ASN = 64512;
export const ROUTER_ASN = 64513;
/** What a Service with one address of the pool has first. */
export const FIRST = "192.168.200.1";
export const ROUTED_POOL = `
apiVersion: metallb.io/v1beta1
kind: IPAddressPool
metadata: {name: routed, namespace: metallb-system, labels: {kind: routed}}
spec: {addresses: ["192.168.200.0/24", "fd00:200::/120"], avoidBuggyIPs: true}
`;
export const ADVERTISED = `
apiVersion: metallb.io/v1beta1
kind: BGPAdvertisement
metadata: {name: routed, namespace: metallb-system}
spec: {ipAddressPools: [routed]}
`;

export interface BgpCluster {
  readonly cluster: DaemonCluster;
  readonly router: LabFrr;
  readonly frr: ReadonlyMap<string, LabFrr>;
}

/** The peer of all nodes is the router; `spec` is what else its BGPPeer says. */
export function peerManifest(name: string, spec: Readonly<Record<string, unknown>>): string {
  const all = { myASN: NODE_ASN, peerASN: ROUTER_ASN, ...spec };
  return JSON.stringify({
    apiVersion: "metallb.io/v1beta2",
    kind: "BGPPeer",
    metadata: { name, namespace: "metallb-system" },
    spec: all,
  });
}

/** To be called in a `describe`; the getter gives the cluster to its tests. */
export function bgpClusterForSuite(
  options: { readonly nodes?: number; readonly dualStack?: boolean } = {},
): () => BgpCluster {
  const frr = new Map<string, LabFrr>();
  let router: LabFrr | null = null;
  const cluster = clusterForSuite({
    ...options,
    foreignHost: true,
    config: (node) => ({ bgp: frr.get(node)?.settings ?? {} }),
    prepare: async ({ lab, controlPlane }) => {
      for (const node of lab.nodes) frr.set(node.name, await LabFrr.start(node));
      router = await LabFrr.start(routerOf(lab));
      await router.configure(...routerConfig(lab.nodes));
      await controlPlane.apply(ROUTED_POOL);
      await controlPlane.apply(ADVERTISED);
    },
  });
  return () => {
    if (router === null) throw new Error("The cluster is not prepared yet");
    return { cluster: cluster(), router, frr };
  };
}

export function routerOf(lab: { readonly foreignHost: LabHost | null }): LabHost {
  if (lab.foreignHost === null) throw new Error("The lab has no foreign host");
  return lab.foreignHost;
}

/** Sessions with all nodes, on both families; what is accepted goes into the kernel. */
export function routerConfig(nodes: readonly LabNode[]): string[] {
  const each = nodes.flatMap((node) => [
    `neighbor ${node.address()} remote-as ${NODE_ASN}`,
    `neighbor ${node.address()} bfd`,
    `neighbor ${node.address()} timers connect 1`,
    `neighbor ${node.address6()} remote-as ${NODE_ASN}`,
    `neighbor ${node.address6()} timers connect 1`,
  ]);
  const activated = nodes.map((node) => `neighbor ${node.address6()} activate`);
  return [
    `router bgp ${ROUTER_ASN}`,
    "no bgp ebgp-requires-policy",
    "bgp bestpath as-path multipath-relax",
    ...each,
    ...["address-family ipv6 unicast", ...activated, "exit-address-family"],
    "exit",
  ];
}

interface BgpTable {
  readonly routes?: Readonly<
    Record<string, readonly { readonly nexthops: readonly { readonly ip: string }[] }[]>
  >;
}

/** By prefix: addresses of the nodes that the router sends packets to. */
export async function routesOf(router: LabFrr): Promise<Record<string, string[]>> {
  const routes: Record<string, string[]> = {};
  for (const family of ["ipv4", "ipv6"]) {
    const table = await router.json<BgpTable>(`show bgp ${family} unicast json`);
    for (const [prefix, paths] of Object.entries(table.routes ?? {})) {
      const hops = paths.flatMap(({ nexthops }) => nexthops.slice(0, 1).map(({ ip }) => ip));
      routes[prefix] = hops.sort();
    }
  }
  return routes;
}

export function untilRoutes(
  router: LabFrr,
  wanted: Readonly<Record<string, readonly string[]>>,
  timeoutMs = 20_000,
): Promise<unknown> {
  const text = JSON.stringify(sorted(wanted));
  return eventually(`routes ${text}`, async () => sorted(await routesOf(router)), {
    timeoutMs,
    until: (routes) => JSON.stringify(routes) === text,
  });
}

function sorted(routes: Readonly<Record<string, readonly string[]>>): Record<string, string[]> {
  const entries = Object.entries(routes).map(
    ([prefix, hops]) => [prefix, [...hops].sort()] as const,
  );
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}

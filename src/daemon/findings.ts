// What is not as it should be, worst first, each with its cause and the next thing to do.

import type { Finding, Health } from "../api/types.ts";
import type { ForeignCluster } from "../beacon/foreign-clusters.ts";
import type { ConfigProblem } from "../config/resource.ts";
import { formatProblem } from "../core/problem.ts";
import type { ApiFailure } from "../k8s-sync/outcome.ts";
import type { DrainCause } from "./drain.ts";
import type { Breakage, ResponderProblem } from "./responder-messages.ts";

export interface Findable {
  /** What is wrong with the credentials of this node. */
  readonly credentials?: readonly Finding[];
  /** By resource: why it cannot be read now. */
  readonly apiFailures: ReadonlyMap<string, ApiFailure>;
  /** Why Leases cannot be written now, or null. */
  readonly leaseFailure: ApiFailure | null;
  /** Why what was given to Services cannot be written down, or null. */
  readonly writeFailure: ApiFailure | null;
  readonly configProblems: readonly ConfigProblem[];
  readonly storeNotice: string | null;
  readonly storeFailure: string | null;
  readonly groupProblem: string | null;
  readonly responderProblems: readonly ResponderProblem[];
  /** Addresses nobody answers for, with the reason. */
  readonly orphans: readonly { readonly address: string; readonly reason: string }[];
  /** Interfaces that advertisements name and this node lacks. */
  readonly missingInterfaces: readonly string[];
  /** Node addresses that lie in a pool, with whose they are. */
  readonly poolConflicts: readonly { readonly pool: string; readonly text: string }[];
  readonly linkFailure: string | null;
  /** Why the group of the socket may not ask, or null. */
  readonly socketNotice?: string | null;
  /** Why peers cannot hear this node, or null. */
  readonly beaconProblem?: string | null;
  /** Why the metrics are not served, or null. */
  readonly metricsProblem?: string | null;
  /** Another host that runs lbd under this node's name, or null. */
  readonly namesake?: {
    readonly interface: string;
    readonly address: string;
    /** This host is the newer one, and owns nothing therefore. */
    readonly isNewer: boolean;
  } | null;
  /** VIPs of other nodes for which, on the wire, not the owner alone answers. */
  readonly wire?: readonly {
    readonly address: string;
    readonly owner: string;
    readonly macs: readonly string[];
  }[];
  /** Why this node, by its name, is drained, or null. */
  readonly drained?: { readonly cause: DrainCause; readonly node: string } | null;
  /** Nodes whose beacons do not arrive on the interface, while their hosts answer by ARP. */
  readonly filtered?: readonly { readonly node: string; readonly interface: string }[];
  /** Other clusters whose beacons arrive. */
  readonly foreignClusters?: readonly ForeignCluster[];
  /** What another load balancer at work in this cluster means. */
  readonly rivals?: readonly Finding[];
  /** What is wrong with BGP on this node. */
  readonly bgp?: readonly Finding[];
  /** What shadow mode has found. */
  readonly shadow?: readonly Finding[];
}

/** At most this many of one kind are listed; the rest is counted. */
const LISTED_MAX = 5;

const WORST_FIRST: readonly Health[] = ["failing", "degraded", "ok"];

interface Kind {
  readonly of: (input: Findable) => readonly Finding[];
  /** What lists those that are too many; missing: there are few. */
  readonly more?: string;
}

/** Everything that is looked for, in the order in which it is told. The names are labels. */
const KINDS = {
  credentials: { of: ({ credentials }) => credentials ?? [] },
  api: { of: apiFindings },
  "lease-writes": { of: ({ leaseFailure }) => leaseFinding(leaseFailure) },
  "status-writes": { of: ({ writeFailure }) => writeFinding(writeFailure) },
  configuration: {
    of: ({ configProblems }) => configProblems.map(configFinding),
    more: "lbctl status -o json",
  },
  store: { of: storeFindings },
  groups: { of: groupFinding },
  interface: { of: ({ responderProblems }) => responderProblems.map(responderFinding) },
  socket: { of: socketFinding },
  "beacon-key": { of: beaconKeyFinding },
  links: { of: linkFinding },
  "missing-interface": { of: ({ missingInterfaces }) => missingInterfaces.map(missingFinding) },
  metrics: { of: metricsFinding },
  unanswered: { of: ({ orphans }) => orphans.map(orphanFinding), more: "lbctl vips" },
  pool: { of: ({ poolConflicts }) => poolConflicts.map(poolFinding), more: "lbctl pools -o json" },
  wire: { of: ({ wire }) => (wire ?? []).map(wireFinding), more: "lbctl history" },
  "filtered-beacons": {
    of: ({ filtered }) => (filtered ?? []).map(filteredFinding),
    more: "lbctl nodes",
  },
  bgp: { of: ({ bgp }) => bgp ?? [], more: "lbctl bgp peers" },
  rivals: { of: ({ rivals }) => rivals ?? [] },
  shadow: { of: ({ shadow }) => shadow ?? [] },
  drained: { of: ({ drained }) => drainFinding(drained) },
  namesake: { of: ({ namesake }) => namesakeFinding(namesake ?? null) },
  "foreign-cluster": {
    of: ({ foreignClusters }) => (foreignClusters ?? []).map(foreignFinding),
    more: "lbctl status -o json",
  },
} as const satisfies Readonly<Record<string, Kind>>;

export type FindingKind = keyof typeof KINDS;

export function findings(input: Findable): Finding[] {
  const all = Object.values<Kind>(KINDS).flatMap(({ of, more }) => {
    const found = of(input);
    return more === undefined ? found : listed(found, more);
  });
  return WORST_FIRST.flatMap((health) => all.filter((finding) => finding.health === health));
}

/** All that is wrong, also what is too much to be listed; not what is only to be known. */
export function countFindings(input: Findable): ReadonlyMap<FindingKind, number> {
  const kinds = Object.entries<Kind>(KINDS) as [FindingKind, Kind][];
  const wrong = (list: readonly Finding[]) => list.filter(({ health }) => health !== "ok");
  return new Map(kinds.map(([kind, { of }]) => [kind, wrong(of(input)).length]));
}

function listed(all: readonly Finding[], next: string): Finding[] {
  const [first, rest] = [all.slice(0, LISTED_MAX), all.slice(LISTED_MAX)];
  const kind = rest[0];
  if (kind === undefined) return first;
  const { health, cause } = kind;
  return [...first, { health, what: `And ${rest.length} more of this kind`, cause, next }];
}

export function worst(list: readonly Finding[]): Health {
  return WORST_FIRST.find((health) => list.some((one) => one.health === health)) ?? "ok";
}

/** One finding for each distinct failure: an API that is gone fails for every resource. */
function apiFindings({ apiFailures: failures }: Findable): Finding[] {
  const byKind = new Map<string, { resources: string[]; failure: ApiFailure }>();
  for (const [resource, failure] of failures) {
    const entry = byKind.get(failure.kind) ?? { resources: [], failure };
    entry.resources.push(resource);
    byKind.set(failure.kind, entry);
  }
  return [...byKind.values()].map(({ resources, failure }) => ({
    health: "degraded",
    what: `The Kubernetes API does not give ${resources.join(", ")}: what was last read is in use`,
    cause: failure.message,
    next: nextForApi(failure),
  }));
}

function writeFinding(failure: ApiFailure | null): Finding[] {
  if (failure === null) return [];
  const what = "Addresses that were given to Services cannot be written into their status";
  return [{ health: "degraded", what, cause: failure.message, next: nextForApi(failure) }];
}

function leaseFinding(failure: ApiFailure | null): Finding[] {
  if (failure === null) return [];
  return [
    {
      health: "degraded",
      what: "Leases cannot be written: failover goes on by beacons, and is written down later",
      cause: failure.message,
      next: nextForApi(failure),
    },
  ];
}

function nextForApi(failure: ApiFailure): string {
  switch (failure.kind) {
    case "unauthorized":
    case "certificate":
      return "renew the credentials: sudo lbctl join --kubeconfig admin.conf";
    case "forbidden":
      return "kubectl apply -f deploy/rbac.yaml";
    case "not-found":
      return "kubectl apply -f deploy/crds.yaml";
    default:
      return "look at the API server; lbd keeps trying by itself";
  }
}

function configFinding(problem: ConfigProblem): Finding {
  const { kind, namespace, name } = problem.object;
  const where = namespace === "" ? "" : ` -n ${namespace}`;
  return {
    health: "degraded",
    what: "The configuration in the cluster is not valid: the last valid one is in use",
    cause: formatProblem(problem),
    next: `kubectl edit ${kind.toLowerCase()} ${name}${where}`,
  };
}

function storeFindings(input: Findable): Finding[] {
  const causes = [input.storeNotice, input.storeFailure].filter((text) => text !== null);
  return causes.map((cause) => ({
    health: "degraded",
    what: "The state on disk is not as it should be; answering goes on",
    cause,
    next: "look at the disk (df -h, dmesg); after mending it: systemctl restart lbd",
  }));
}

const UNANSWERED: Readonly<Record<Breakage, string>> = {
  all: "nothing is answered there",
  ipv6: "no IPv6 address is answered for there",
};

function responderFinding(problem: Findable["responderProblems"][number]): Finding {
  return {
    health: "failing",
    what: `Interface "${problem.interface}" cannot be listened on: ${UNANSWERED[problem.breaks]}`,
    cause: problem.message,
    next: `ip link show ${problem.interface}`,
  };
}

function socketFinding({ socketNotice }: Findable): Finding[] {
  if (socketNotice == null) return [];
  const what = "Nobody but root may use lbctl";
  const next =
    'groupadd --system lbd, or mend socketGroup in the node file; "systemctl restart lbd"';
  return [{ health: "degraded", what, cause: socketNotice, next }];
}

function beaconKeyFinding({ beaconProblem }: Findable): Finding[] {
  if (beaconProblem == null) return [];
  const what = "The key of the beacons cannot be read; without one this node owns nothing";
  const next = "kubectl get secret lbd-beacon-key -n lbd-system; kubectl apply -f deploy/rbac.yaml";
  return [{ health: "degraded", what, cause: beaconProblem, next }];
}

function linkFinding({ linkFailure }: Findable): Finding[] {
  if (linkFailure === null) return [];
  const what = "The host's interfaces cannot be read";
  const next = 'journalctl -u lbd, then "systemctl restart lbd"';
  return [{ health: "failing", what, cause: linkFailure, next }];
}

function groupFinding({ groupProblem }: Findable): Finding[] {
  if (groupProblem === null) return [];
  const what = "Who asks for IPv6 addresses may not be heard: a multicast group was not joined";
  const next = "ip -6 maddr, and sysctl net.ipv6.conf.all.disable_ipv6 net.core.optmem_max";
  return [{ health: "degraded", what, cause: groupProblem, next }];
}

function missingFinding(name: string): Finding {
  return {
    health: "degraded",
    what: `An L2Advertisement names interface "${name}", which this node does not have`,
    cause: "the name is misspelt, or the interface is not made yet",
    next: "ip -brief link, and kubectl get l2advertisements -A -o yaml",
  };
}

function metricsFinding({ metricsProblem }: Findable): Finding[] {
  if (metricsProblem == null) return [];
  const what = "Prometheus cannot read the metrics of this node";
  const next = 'ss -ltnp; or another `metrics.port` in the node file, then "systemctl restart lbd"';
  return [{ health: "degraded", what, cause: metricsProblem, next }];
}

function orphanFinding(orphan: { address: string; reason: string }): Finding {
  return {
    health: "failing",
    what: `Nobody answers for ${orphan.address}`,
    cause: orphan.reason,
    next: `lbctl explain ${orphan.address}`,
  };
}

function poolFinding(conflict: { pool: string; text: string }): Finding {
  return {
    health: "degraded",
    what: `Pool "${conflict.pool}" holds an address that is in use: it is never handed out`,
    cause: conflict.text,
    next: `kubectl edit ipaddresspool ${conflict.pool}`,
  };
}

function drainFinding(drained: Findable["drained"]): Finding[] {
  if (drained == null) return [];
  const { cause: why, node } = drained;
  const what = "This node is drained: it hands over its addresses and takes none";
  const cause =
    why === "cordoned"
      ? 'its Node is cordoned, and the node file says "drainOnCordon"'
      : 'somebody ran "lbctl drain"';
  const next = why === "cordoned" ? `kubectl uncordon ${node}` : "lbctl undrain";
  return [{ health: "degraded", what, cause, next }];
}

function namesakeFinding(namesake: (Findable["namesake"] & object) | null): Finding[] {
  if (namesake === null) return [];
  const { address, interface: name, isNewer } = namesake;
  const cause = `the host ${address} on ${name} runs lbd with the same nodeName`;
  const next = `give one of the two another nodeName in its node file; "systemctl restart lbd"`;
  return isNewer
    ? [{ health: "failing", what: "This host owns nothing: its node's name is taken", cause, next }]
    : [{ health: "degraded", what: "Another host uses this node's name", cause, next }];
}

function wireFinding(found: NonNullable<Findable["wire"]>[number]): Finding {
  const { address, owner, macs } = found;
  // In whatever order they answered: it is the same finding.
  const who = macs.length === 0 ? "Nobody answers" : `${macs.toSorted().join(" and ")} answer`;
  return {
    health: "degraded",
    what: `${who} on the wire for ${address}, which "${owner}" owns`,
    cause:
      "the port or the daemon of the owner, a filter of the switch, or a host that uses it, too",
    next: `lbctl status on ${owner}, and lbctl explain ${address}`,
  };
}

/** One way or both: nothing moves, but a crash of that node is noticed by its Lease only. */
function filteredFinding({ node, interface: name }: { node: string; interface: string }): Finding {
  return {
    health: "degraded",
    what: `Beacons of node "${node}" do not arrive on ${name}, though its host answers by ARP`,
    cause: "something between the two drops UDP datagrams to `beacons.port`, one way or both",
    next: `look for a filter, on both hosts and the switch: nft list ruleset; tcpdump -i ${name}`,
  };
}

/** Two clusters may share a LAN: it is said, for whoever did not mean it, and is no trouble. */
function foreignFinding(foreign: ForeignCluster): Finding {
  const { cluster, node, interface: name, address, mac } = foreign;
  return {
    health: "ok",
    what: `Beacons on ${name} say that they are of another cluster, ${cluster}: they are ignored`,
    cause: `the host ${address} sends them; unproven, it calls itself node "${node}", MAC ${mac}`,
    next: "nothing, if it is meant to be there; else lbctl pools, on both: no address in common",
  };
}

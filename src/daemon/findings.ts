// What is not as it should be, worst first, each with its cause and the next thing to do.

import type { Finding, Health } from "../api/types.ts";
import type { ForeignCluster } from "../beacon/foreign-clusters.ts";
import type { ConfigProblem } from "../config/resource.ts";
import { formatProblem } from "../core/problem.ts";
import type { ApiFailure } from "../k8s-sync/outcome.ts";
import type { DrainCause } from "./drain.ts";

export interface Findable {
  /** By resource: why it cannot be read now. */
  readonly apiFailures: ReadonlyMap<string, ApiFailure>;
  /** Why Leases cannot be written now, or null. */
  readonly leaseFailure: ApiFailure | null;
  /** Why what was given to Services cannot be written down, or null. */
  readonly writeFailure: ApiFailure | null;
  readonly configProblems: readonly ConfigProblem[];
  readonly storeNotice: string | null;
  readonly storeFailure: string | null;
  readonly responderProblems: readonly { readonly interface: string; readonly message: string }[];
  /** Addresses nobody answers for, with the reason. */
  readonly orphans: readonly { readonly address: string; readonly reason: string }[];
  /** Interfaces that advertisements name and this node lacks. */
  readonly missingInterfaces: readonly string[];
  /** Node addresses that lie in a pool, with whose they are. */
  readonly poolConflicts: readonly { readonly pool: string; readonly text: string }[];
  readonly ipv6Addresses: number;
  readonly linkFailure: string | null;
  /** Why the group of the socket may not ask, or null. */
  readonly socketNotice?: string | null;
  /** Why peers cannot hear this node, or null. */
  readonly beaconProblem?: string | null;
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
}

/** At most this many of one kind are listed; the rest is counted. */
const LISTED_MAX = 5;

const WORST_FIRST: readonly Health[] = ["failing", "degraded", "ok"];

export function findings(input: Findable): Finding[] {
  const all = [
    ...apiFindings(input.apiFailures),
    ...leaseFinding(input.leaseFailure),
    ...writeFinding(input.writeFailure),
    ...listed(input.configProblems.map(configFinding), "lbctl status -o json"),
    ...storeFindings(input),
    ...hostFindings(input),
    ...listed(input.orphans.map(orphanFinding), "lbctl vips"),
    ...listed(input.poolConflicts.map(poolFinding), "lbctl pools -o json"),
    ...ipv6Finding(input.ipv6Addresses),
    ...listed((input.wire ?? []).map(wireFinding), "lbctl history"),
    ...listed((input.filtered ?? []).map(filteredFinding), "lbctl nodes"),
    ...drainFinding(input.drained),
    ...namesakeFinding(input.namesake ?? null),
    ...listed((input.foreignClusters ?? []).map(foreignFinding), "lbctl status -o json"),
  ];
  return WORST_FIRST.flatMap((health) => all.filter((finding) => finding.health === health));
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
function apiFindings(failures: ReadonlyMap<string, ApiFailure>): Finding[] {
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
      return 'renew the credentials in the kubeconfig, then "systemctl restart lbd"';
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

function hostFindings(input: Findable): Finding[] {
  const list: Finding[] = input.responderProblems.map((problem) => ({
    health: "failing",
    what: `Interface "${problem.interface}" cannot be listened on: nothing is answered there`,
    cause: problem.message,
    next: `ip link show ${problem.interface}`,
  }));
  if (input.socketNotice != null) {
    list.push({
      health: "degraded",
      what: "Nobody but root may use lbctl",
      cause: input.socketNotice,
      next: 'groupadd --system lbd, or mend socketGroup in the node file; "systemctl restart lbd"',
    });
  }
  if (input.beaconProblem != null) {
    list.push({
      health: "degraded",
      what: "The key of the beacons cannot be read; without one this node owns nothing",
      cause: input.beaconProblem,
      next: "kubectl get secret lbd-beacon-key -n lbd-system; kubectl apply -f deploy/rbac.yaml",
    });
  }
  if (input.linkFailure !== null) {
    list.push({
      health: "failing",
      what: "The host's interfaces cannot be read",
      cause: input.linkFailure,
      next: 'journalctl -u lbd, then "systemctl restart lbd"',
    });
  }
  for (const name of input.missingInterfaces) {
    list.push({
      health: "degraded",
      what: `An L2Advertisement names interface "${name}", which this node does not have`,
      cause: "the name is misspelt, or the interface is not made yet",
      next: "ip -brief link, and kubectl get l2advertisements -A -o yaml",
    });
  }
  return list;
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

function ipv6Finding(count: number): Finding[] {
  if (count === 0) return [];
  return [
    {
      health: "degraded",
      what: `IPv6 addresses are assigned but not answered for: ${count}`,
      cause: "this version answers ARP only; Neighbor Discovery is still to come",
      next: "use IPv4 addresses for now",
    },
  ];
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
  const who = macs.length === 0 ? "Nobody answers" : `${macs.join(" and ")} answer`;
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

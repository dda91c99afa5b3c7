// What `lbctl doctor` looks at: facts of this host, its daemon and its cluster, as they were
// gathered. What could not be found out carries the reason, which is told instead of a verdict.

import type { Ip, IpPrefix, IpRange } from "../core/address.ts";
import type { WallMs } from "../core/time.ts";
import type { Permission } from "./permissions.ts";

export type Known<T> =
  | { readonly known: true; readonly value: T }
  | { readonly known: false; readonly why: string };

export function known<T>(value: T): Known<T> {
  return { known: true, value };
}

export function unknown(why: string): { readonly known: false; readonly why: string } {
  return { known: false, why };
}

export interface InterfaceFact {
  readonly name: string;
  readonly isUp: boolean;
  readonly hasCarrier: boolean;
  /** Broadcast, no loopback, NOARP or part of a bridge, and not excluded in the node file. */
  readonly canAnswer: boolean;
  readonly addresses: readonly { readonly ip: Ip; readonly prefix: IpPrefix }[];
  /** Null: it is no bridge. */
  readonly bridge: { readonly snoops: boolean; readonly queries: boolean } | null;
  /** Whether a default route leads through it. */
  readonly isDefaultRoute: boolean;
  /** net.ipv4.conf of the interface, the larger of it and "all"; null: it has none. */
  readonly sysctls: InterfaceSysctls | null;
}

export interface InterfaceSysctls {
  readonly arpIgnore: number;
  readonly arpAnnounce: number;
  readonly rpFilter: number;
}

export interface PoolFact {
  readonly name: string;
  readonly ranges: readonly IpRange[];
}

export interface ProcessFact {
  readonly pid: number;
  readonly name: string;
  /** Program and arguments, separated by spaces. */
  readonly command: string;
}

export interface MemberFact {
  readonly node: string;
  /** As in `lbctl nodes`. */
  readonly member: string;
  readonly daemon: string | null;
}

export interface DaemonFacts {
  readonly version: string;
  readonly members: readonly MemberFact[];
  /** Of `lbctl status`, without those that are only for information. */
  readonly findings: readonly {
    readonly health: string;
    readonly what: string;
    readonly cause: string;
    readonly next: string;
  }[];
  /** Addresses that are never handed out, as somebody uses them. */
  readonly withheld: readonly { readonly address: string; readonly because: string }[];
}

/** What systemd says of the unit. */
export interface UnitFact {
  /** `loaded`, `not-found`, .... */
  readonly load: string;
  /** `active`, `inactive`, `failed`, .... */
  readonly active: string;
  readonly result: string;
}

export interface SocketFact {
  readonly path: string;
  readonly state:
    | "missing"
    /** Something that is no socket lies there. */
    | "not-a-socket"
    | "nobody-listens"
    | "forbidden"
    | "lbd"
    /** Somebody answers who is not lbd, or does not answer at all. */
    | "other";
  /** Who listens: name and process id, where it could be seen. */
  readonly holder: string | null;
}

export interface StateFact {
  readonly folder: string;
  readonly problem:
    | null
    | "missing"
    | "not-a-folder"
    | "unreadable"
    | "read-only"
    | "file-unreadable"
    | "not-a-database";
  readonly disk: Known<{
    readonly freeBytes: number;
    readonly totalBytes: number;
    readonly freeFiles: number;
    readonly totalFiles: number;
  }>;
}

export interface CredentialFacts {
  readonly kubeconfig: string;
  /** Null: there is none, or it says nothing of its end. */
  readonly token: { readonly issuedAt: WallMs | null; readonly expiresAt: WallMs } | null;
  readonly certificateExpiresAt: WallMs | null;
}

export interface Facts {
  readonly now: WallMs;
  readonly node: string;
  readonly nodeFile: { readonly path: string; readonly problem: string | null };
  readonly beaconPort: number;
  readonly ignoreExcludeLabel: boolean;
  readonly user: {
    readonly name: string;
    readonly isRoot: boolean;
    readonly group: string;
    readonly groupExists: boolean;
    readonly isMember: boolean;
  };
  readonly interfaces: Known<readonly InterfaceFact[]>;
  readonly pools: Known<readonly PoolFact[]>;
  /** The JSON of `nft -j list ruleset`; null: no such program. */
  readonly nft: Known<unknown>;
  /** The text of iptables-save. */
  readonly iptables: Known<string>;
  readonly clock: {
    readonly isSynchronized: Known<boolean>;
    /** Lines of the journal that tell of steps, the newest last. */
    readonly steps: Known<readonly string[]>;
    /** When the other nodes renewed their Leases last, on their own clocks. */
    readonly renewals: Known<readonly { readonly node: string; readonly at: WallMs }[]>;
  };
  /** What 127.0.0.1:10256/healthz says. */
  readonly kubeProxy: Known<{
    readonly answer: "alive" | "unhealthy" | "silent";
    readonly detail: string;
  }>;
  readonly processes: Known<readonly ProcessFact[]>;
  readonly credentials: Known<CredentialFacts>;
  /** Why the kubeconfig that is there cannot be used, or null. */
  readonly credentialProblem: string | null;
  /** What the daemon's credentials may not do. */
  readonly missingPermissions: Known<readonly Permission[]>;
  readonly nodes: Known<readonly { readonly name: string; readonly labels: readonly string[] }[]>;
  readonly unit: Known<UnitFact>;
  readonly socket: SocketFact;
  readonly daemon: Known<DaemonFacts>;
  readonly state: StateFact;
}

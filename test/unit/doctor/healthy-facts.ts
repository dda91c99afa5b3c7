// Facts of a host on which nothing is wrong, to be spoilt one at a time.

import { type Ip, parsePrefix } from "../../../src/core/address.ts";
import type { WallMs } from "../../../src/core/time.ts";
import { type Facts, type InterfaceFact, known } from "../../../src/doctor/facts.ts";

export const NOW = Date.parse("2026-11-27T12:00:00Z") as WallMs;
export const HOUR_MS = 3_600_000;

export function address(text: string): InterfaceFact["addresses"][number] {
  const prefix = parsePrefix(text);
  if (prefix === null) throw new Error(`Cannot read "${text}"`);
  return { ip: text.split("/")[0] as Ip, prefix };
}

export function nic(changes: Partial<InterfaceFact> = {}): InterfaceFact {
  return {
    name: "eth0",
    isUp: true,
    hasCarrier: true,
    canAnswer: true,
    addresses: [address("192.168.100.11/24")],
    bridge: null,
    isDefaultRoute: true,
    sysctls: { arpIgnore: 0, arpAnnounce: 0, rpFilter: 0 },
    ...changes,
  };
}

export const HEALTHY: Facts = {
  now: NOW,
  node: "n1",
  nodeFile: { path: "/etc/lbd/config.yaml", problem: null },
  beaconPort: 7_473,
  ignoreExcludeLabel: false,
  user: { name: "root", isRoot: true, group: "lbd", groupExists: true, isMember: false },
  interfaces: known([nic()]),
  pools: known([{ name: "lan", ranges: [address("192.168.100.48/28").prefix] }]),
  nft: known({ nftables: [] }),
  iptables: known(""),
  clock: {
    isSynchronized: known(true),
    steps: known([]),
    renewals: known([{ node: "n2", at: (NOW - 4_000) as WallMs }]),
  },
  kubeProxy: known({ answer: "alive", detail: "200" }),
  processes: known([{ pid: 9, name: "kubelet", command: "/usr/bin/kubelet --config x" }]),
  credentials: known({
    kubeconfig: "/etc/lbd/kubeconfig",
    token: { issuedAt: NOW, expiresAt: (NOW + HOUR_MS) as WallMs },
    certificateExpiresAt: null,
  }),
  credentialProblem: null,
  missingPermissions: known([]),
  nodes: known([
    { name: "n1", labels: [] },
    { name: "n2", labels: [] },
  ]),
  unit: known({ load: "loaded", active: "active", result: "success" }),
  socket: { path: "/run/lbd/lbd.sock", state: "lbd", holder: null },
  daemon: known({
    version: "1.2.3",
    members: [
      { node: "n1", member: "alive", daemon: "live" },
      { node: "n2", member: "alive", daemon: "live" },
    ],
    findings: [],
    withheld: [],
  }),
  state: {
    folder: "/var/lib/lbd",
    problem: null,
    disk: known({
      freeBytes: 5e9,
      totalBytes: 20e9,
      freeFiles: 1e6,
      totalFiles: 2e6,
    }),
  },
};

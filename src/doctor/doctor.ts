// All checks of `lbctl doctor`, in the order in which they are told. Facts in, findings out.

import { checkFirewall, checkPeers } from "./check-beacons.ts";
import { checkClock } from "./check-clock.ts";
import {
  checkApi,
  checkCredentials,
  checkExcludeLabel,
  checkKubeProxy,
  checkPermissions,
  checkRivals,
} from "./check-cluster.ts";
import {
  checkDaemon,
  checkDisk,
  checkGroup,
  checkNodeFile,
  checkSocket,
  checkState,
} from "./check-host.ts";
import { checkAddresses, checkArp, checkLinks, checkReversePath } from "./check-kernel.ts";
import type { Facts } from "./facts.ts";
import type { DoctorFinding, Verdict } from "./verdict.ts";

/** By the name that people see. */
const CHECKS: Readonly<Record<string, (facts: Facts) => Verdict>> = {
  "node file": checkNodeFile,
  daemon: checkDaemon,
  socket: checkSocket,
  group: checkGroup,
  state: checkState,
  disk: checkDisk,
  credentials: checkCredentials,
  "kubernetes api": checkApi,
  permissions: checkPermissions,
  "exclude label": checkExcludeLabel,
  links: checkLinks,
  addresses: checkAddresses,
  arp: checkArp,
  rp_filter: checkReversePath,
  firewall: checkFirewall,
  beacons: checkPeers,
  clock: checkClock,
  "kube-proxy": checkKubeProxy,
  rivals: checkRivals,
};

export interface DoctorReport {
  /** Errors first. */
  readonly findings: readonly (DoctorFinding & { readonly check: string })[];
  readonly checks: readonly {
    readonly check: string;
    readonly state: Verdict["state"];
    /** Why it is ok, or was not looked at; "" where something was found. */
    readonly note: string;
  }[];
}

export function diagnose(facts: Facts): DoctorReport {
  const verdicts = Object.entries(CHECKS).map(([check, look]) => ({ check, ...look(facts) }));
  const findings = verdicts.flatMap((verdict) =>
    verdict.state === "found"
      ? verdict.findings.map((finding) => ({ check: verdict.check, ...finding }))
      : [],
  );
  return {
    findings: ["error", "warning"].flatMap((severity) =>
      findings.filter((finding) => finding.severity === severity),
    ),
    checks: verdicts.map((verdict) => ({
      check: verdict.check,
      state: verdict.state,
      note: verdict.state === "found" ? "" : verdict.note,
    })),
  };
}

// The host's wall clock: certificates, tokens and Lease times are read by it. Ownership is not: the
// boot clock decides there.

import { formatSeconds } from "./durations.ts";
import type { Facts } from "./facts.ts";
import type { DoctorFinding, Verdict } from "./verdict.ts";
import { foundOr, skipped, warning } from "./verdict.ts";

/** Node Leases are renewed every 5 s and last 15 s; anything less is a slow API. */
const AHEAD_MS_MAX = 3_000;
const SYNCHRONISE = "apt install chrony; or timedatectl set-ntp true";

export function checkClock({ clock, now }: Facts): Verdict {
  const { isSynchronized, steps, renewals } = clock;
  const findings: DoctorFinding[] = [];
  if (isSynchronized.known && !isSynchronized.value) {
    const what = "The clock of this host is not synchronised";
    const cause = "timedatectl says NTPSynchronized=no: no time server, or none that is reached";
    findings.push(warning(what, cause, SYNCHRONISE));
  }
  if (steps.known && steps.value.length > 0) {
    const what = "The clock of this host was stepped";
    const cause = `${steps.value.length} times in the last day; last: ${steps.value.at(-1) ?? ""}`;
    const fix = "journalctl -b -u systemd-timesyncd -u chrony; a virtual machine: its host's clock";
    findings.push(warning(what, cause, fix));
  }
  const ahead = (renewals.known ? renewals.value : []).filter(({ at }) => at - now > AHEAD_MS_MAX);
  const furthest = ahead.toSorted((a, b) => b.at - a.at)[0];
  if (furthest !== undefined) {
    const by = formatSeconds((furthest.at - now) / 1_000);
    const what = `The clock of this host and that of "${furthest.node}" differ by ${by} or more`;
    const cause = `"${furthest.node}" has renewed its Lease at a time that is still to come here`;
    findings.push(warning(what, cause, `${SYNCHRONISE}, on the one that is wrong`));
  }
  if (findings.length === 0 && !isSynchronized.known) return skipped(isSynchronized.why);
  return foundOr(findings, "synchronised, and not stepped");
}

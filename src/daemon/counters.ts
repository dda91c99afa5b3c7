// The counters of `lbctl status -o json`, gathered from the parts that count.

import type { EventRecorder } from "../k8s-sync/events.ts";
import type { AddressProbeTask } from "./address-probe-task.ts";
import type { ClaimDurations } from "./claim-durations.ts";
import type { Responder } from "./responder.ts";
import type { WireTruthTask } from "./wire-truth-task.ts";

export function countersOf(parts: {
  readonly responder: Pick<Responder, "report">;
  readonly wireTruth: Pick<WireTruthTask, "counters">;
  readonly probes: Pick<AddressProbeTask, "counters">;
  readonly events: Pick<EventRecorder, "counts">;
  readonly claims: Pick<ClaimDurations, "begun">;
}): Record<string, number> {
  const { written, dropped } = parts.events.counts();
  return {
    ...parts.responder.report().counters,
    ...parts.wireTruth.counters(),
    ...parts.probes.counters(),
    claims: parts.claims.begun,
    "events-written": written,
    "events-dropped": dropped,
  };
}

// How often statuses of Services were written to, or were tried to be, as the API server counts.

import type { ControlPlane } from "../../lab/control-plane.ts";

const COUNTER = /^apiserver_request_total\{([^}]*)\} (\S+)$/gm;
const LABELS = ['resource="services"', 'subresource="status"', 'verb="PATCH"'];

/** Whoever wrote, and whatever came of it. */
export async function statusWrites(controlPlane: ControlPlane): Promise<number> {
  const metrics = await controlPlane.kubectl(["get", "--raw", "/metrics"]);
  return [...metrics.matchAll(COUNTER)]
    .filter(([, labels = ""]) => LABELS.every((label) => labels.includes(label)))
    .reduce((sum, [, , count]) => sum + Number(count), 0);
}

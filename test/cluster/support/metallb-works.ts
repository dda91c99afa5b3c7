// MetalLB's workloads in a cluster without controllers that would run them: their status is set as
// those would set it.

import type { DaemonCluster } from "./daemon-cluster.ts";

/** Makes the Deployment or DaemonSet, or changes it, and sets its status. */
export async function metallbWorks(c: DaemonCluster, object: object): Promise<void> {
  const { kind, metadata, status } = object as {
    kind: string;
    metadata: { name: string };
    status: Record<string, number>;
  };
  await c.controlPlane.apply(JSON.stringify(object));
  const what = [kind.toLowerCase(), metadata.name, "-n", "metallb-system"];
  const { metadata: made } = await c.controlPlane.get<{ metadata: { generation: number } }>(
    ...what,
  );
  const counts = { desiredNumberScheduled: 2, currentNumberScheduled: 2, numberMisscheduled: 0 };
  const said = kind === "DaemonSet" ? { ...counts, ...status } : status;
  const patch = JSON.stringify({ status: { ...said, observedGeneration: made.generation } });
  const how = ["--subresource=status", "--type=merge", "-p", patch];
  await c.controlPlane.kubectl(["patch", ...what, ...how]);
}

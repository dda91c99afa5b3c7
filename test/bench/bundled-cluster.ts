// Three bundled daemons, as they are shipped, with a real control plane.

import { join } from "node:path";
import { bundle, MEMORY_ENVIRONMENT, NODE_ARGUMENTS } from "../../scripts/bundle.ts";
import { ADVERTISEMENT, DaemonCluster } from "../cluster/support/daemon-cluster.ts";
import { ControlPlane } from "../lab/control-plane.ts";
import type { Lab } from "../lab/lab.ts";

export const DIST = join(import.meta.dirname, "../../dist");

/** Options with which a daemon is started again. */
export const BUNDLED = {
  program: join(DIST, "main.js"),
  config: { logLevel: "info" },
  nodeArguments: NODE_ARGUMENTS,
  env: MEMORY_ENVIRONMENT,
};

/** Every daemon answers on its socket; `pool` is the manifest of the addresses. */
export async function startBundledCluster(lab: Lab, pool: string): Promise<DaemonCluster> {
  await bundle(DIST);
  const controlPlane = await ControlPlane.start(lab);
  await controlPlane.registerNodes();
  const cluster = new DaemonCluster(lab, controlPlane, await controlPlane.installLbd());
  await controlPlane.apply(pool);
  await controlPlane.apply(ADVERTISEMENT);
  await Promise.all(lab.nodes.map((node) => cluster.start(node, BUNDLED)));
  return cluster;
}

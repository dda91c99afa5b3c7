// The kubeconfig that the node file names, as it is now.

import type { NodeFile } from "../config/node-file.ts";
import type { WallMs } from "../core/time.ts";
import { type Kubeconfig, loadKubeconfig } from "../k8s-sync/kubeconfig.ts";

/** Throws AppError KUBECONFIG_INVALID. */
export function kubeconfigOf(file: NodeFile, now: WallMs): Kubeconfig {
  const { kubeconfigContext: context, allowInsecureApi: allowInsecure } = file;
  const named = context === undefined ? {} : { context };
  return loadKubeconfig(file.kubeconfig, { now, allowInsecure, ...named });
}

// The client of the Kubernetes API, from the kubeconfig that the node file names.

import type { NodeFile } from "../config/node-file.ts";
import { VERSION } from "../core/version.ts";
import { ApiClient } from "../k8s-sync/client.ts";
import { loadKubeconfig } from "../k8s-sync/kubeconfig.ts";
import { systemClock as clock } from "./system-clock.ts";

/** Throws AppError KUBECONFIG_INVALID. */
export function createClient(file: NodeFile): ApiClient {
  const { kubeconfigContext: context } = file;
  const kubeconfig = loadKubeconfig(file.kubeconfig, {
    now: clock.wall(),
    allowInsecure: file.allowInsecureApi,
    ...(context === undefined ? {} : { context }),
  });
  return new ApiClient(kubeconfig, { version: VERSION });
}

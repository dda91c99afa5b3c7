// The Kubernetes API with the kubeconfig of an administrator, for what lbd's own account may not
// do, and need not.

import type { WallMs } from "../core/time.ts";
import { ApiClient } from "../k8s-sync/client.ts";
import { loadKubeconfig } from "../k8s-sync/kubeconfig.ts";

export interface AdminOptions {
  readonly kubeconfig: string;
  /** Of the kubeconfig; default: its current one. */
  readonly context?: string;
  readonly now: WallMs;
}

/** Throws AppError KUBECONFIG_INVALID. */
export function adminClient({ kubeconfig, context, now }: AdminOptions): ApiClient {
  const about = { now, ...(context === undefined ? {} : { context }) };
  return new ApiClient(loadKubeconfig(kubeconfig, about), { version: "import" });
}

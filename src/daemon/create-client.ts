// The client of the Kubernetes API, from the kubeconfig that the node file names.

import type { NodeFile } from "../config/node-file.ts";
import { VERSION } from "../core/version.ts";
import { ApiClient, type ApiRequest } from "../k8s-sync/client.ts";
import { loadKubeconfig } from "../k8s-sync/kubeconfig.ts";
import { failed, type Outcome } from "../k8s-sync/outcome.ts";
import { systemClock as clock } from "./system-clock.ts";

/** Throws AppError KUBECONFIG_INVALID. */
export function createClient(file: NodeFile): ApiClient {
  const { kubeconfigContext: context } = file;
  const kubeconfig = loadKubeconfig(file.kubeconfig, {
    now: clock.wall(),
    allowInsecure: file.allowInsecureApi,
    ...(context === undefined ? {} : { context }),
  });
  const Client = file.mode === "shadow" ? ReadingClient : ApiClient;
  return new Client(kubeconfig, { version: VERSION });
}

/** In shadow mode nothing gets as far as this; if anything ever does, it ends here. */
class ReadingClient extends ApiClient {
  override async request<T = unknown>(request: ApiRequest): Promise<Outcome<T>> {
    if (request.method === "GET") return super.request<T>(request);
    return failed("forbidden", `Cannot ${request.method} "${request.path}": this is shadow mode`);
  }
}

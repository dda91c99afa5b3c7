// The daemon's client of the Kubernetes API. Before anything else passes, it sees whether the
// server is that of the cluster which this host belongs to; another cluster is as an outage.

import { CLUSTER_SETTING, IDENTITY_NAMESPACE } from "../core/node-account.ts";
import type { Clock } from "../core/time.ts";
import { VERSION } from "../core/version.ts";
import { ApiClient, type ApiRequest, type WatchRequest } from "../k8s-sync/client.ts";
import { clusterUid } from "../k8s-sync/cluster-uid.ts";
import type { Kubeconfig } from "../k8s-sync/kubeconfig.ts";
import { type ApiFailure, failed, type Outcome } from "../k8s-sync/outcome.ts";
import type { WatchMessage } from "../k8s-sync/watch.ts";
import type { Store } from "../store/store.ts";

export interface DaemonClientOptions {
  readonly store: Pick<Store, "setting">;
  /** Nothing is written, whoever asks for it; but for the node's own token, which is no object. */
  readonly isShadow: boolean;
  readonly clock?: Pick<Clock, "boot">;
}

const TOKEN_REQUEST = /\/serviceaccounts\/[^/]+\/token$/;

export class DaemonClient extends ApiClient {
  readonly #options: DaemonClientOptions;
  /** Grows with every kubeconfig: an answer that comes late is about one of before. */
  #generation = 0;
  #isOurs = false;
  #foreign: ApiFailure | null = null;
  #looking: Promise<ApiFailure | null> | null = null;

  constructor(options: DaemonClientOptions) {
    const { clock } = options;
    super(null, { version: VERSION, ...(clock === undefined ? {} : { clock }) });
    this.#options = options;
  }

  override adopt(kubeconfig: Kubeconfig): void {
    super.adopt(kubeconfig);
    this.#generation += 1;
    this.#isOurs = false;
    this.#foreign = null;
    this.#looking = null;
  }

  /** In words: the kubeconfig leads to another cluster; null: as far as is known it does not. */
  get foreignCluster(): string | null {
    return this.#foreign?.message ?? null;
  }

  override async request<T = unknown>(request: ApiRequest): Promise<Outcome<T>> {
    const { method, path } = request;
    if (this.#options.isShadow && method !== "GET" && !TOKEN_REQUEST.test(path)) {
      return failed("forbidden", `Cannot ${method} "${path}": this is shadow mode`);
    }
    const failure = await this.#whyNot();
    return failure === null ? super.request<T>(request) : { ok: false, failure };
  }

  override async *watch(
    request: WatchRequest,
    signal: AbortSignal,
  ): AsyncGenerator<WatchMessage, void> {
    const failure = await this.#whyNot();
    if (failure === null) yield* super.watch(request, signal);
    else yield { type: "FAILED", failure };
  }

  #whyNot(): ApiFailure | null | Promise<ApiFailure | null> {
    // Without a kubeconfig every request says so itself.
    if (this.#isOurs || this.server === "") return null;
    if (this.#foreign !== null) return this.#foreign;
    this.#looking ??= this.#look(this.#generation).finally(() => {
      this.#looking = null;
    });
    return this.#looking;
  }

  async #look(generation: number): Promise<ApiFailure | null> {
    const known = this.#options.store.setting(CLUSTER_SETTING);
    const read = await clusterUid({ request: (request) => super.request(request) });
    if (!read.ok) {
      // Rights that were given by hand may lack this one: then nobody can tell.
      const { kind } = read.failure;
      if (kind !== "forbidden" && kind !== "not-found") return read.failure;
    }
    if (generation !== this.#generation) return this.#whyNot();
    const stored = known === null ? null : Buffer.from(known).toString("utf8");
    if (read.ok && stored !== null && stored !== read.value) {
      this.#foreign = foreignFailure(this.server, { found: read.value, stored });
      return this.#foreign;
    }
    this.#isOurs = true;
    return null;
  }
}

function foreignFailure(server: string, uids: { found: string; stored: string }): ApiFailure {
  const message =
    `Cannot use the API server "${server}": it is of another cluster; the UID of its namespace ` +
    `"${IDENTITY_NAMESPACE}" is "${uids.found}", that of this host's cluster is "${uids.stored}"`;
  return { kind: "unreachable", message };
}

// The cluster that cases share, and its API as the test process reaches it: a case writes a dozen
// objects, and a kubectl for each would take longer than everything else.

import { after, before } from "node:test";
import { wallMs } from "../../../src/core/time.ts";
import { ApiClient, type ApiRequest } from "../../../src/k8s-sync/client.ts";
import { loadKubeconfig } from "../../../src/k8s-sync/kubeconfig.ts";
import {
  type ClusterOptions,
  clusterForSuite,
  type DaemonCluster,
} from "../../cluster/support/daemon-cluster.ts";
import type { ControlPlane } from "../../lab/control-plane.ts";

const APPLY = { fieldManager: "case", force: true };

export class CaseApi {
  readonly #client: ApiClient;

  private constructor(client: ApiClient) {
    this.#client = client;
  }

  static async open(controlPlane: ControlPlane): Promise<CaseApi> {
    const server = await controlPlane.openOnLoopback();
    const file = await controlPlane.kubeconfig(undefined, { server });
    const read = loadKubeconfig(file, { now: wallMs(Date.now()), allowInsecure: false });
    return new CaseApi(new ApiClient(read));
  }

  /** Creates the object, or makes it what this says (server-side apply). */
  apply(path: string, body: object): Promise<unknown> {
    const contentType = "application/apply-patch+yaml";
    return this.#must({ method: "PATCH", path, query: APPLY, body, contentType });
  }

  /** A merge patch: what is null goes, lists are replaced. */
  patch(path: string, body: object): Promise<unknown> {
    return this.#must({ method: "PATCH", path, body, contentType: "application/merge-patch+json" });
  }

  get<T>(path: string, query: Readonly<Record<string, string>> = {}): Promise<T> {
    return this.#must({ method: "GET", path, query }) as Promise<T>;
  }

  /** One that is not there is gone already. */
  async remove(path: string): Promise<void> {
    const outcome = await this.#client.request({ method: "DELETE", path });
    if (outcome.ok || outcome.failure.kind === "not-found") return;
    throw new Error(outcome.failure.message);
  }

  async close(): Promise<void> {
    await this.#client.close();
  }

  async #must(request: ApiRequest): Promise<unknown> {
    const outcome = await this.#client.request(request);
    if (!outcome.ok) throw new Error(outcome.failure.message);
    return outcome.value;
  }
}

export interface CaseCluster {
  readonly cluster: DaemonCluster;
  readonly api: CaseApi;
}

/** To be called in a `describe`; `prepare` runs once, before all cases. */
export function casesForSuite(
  options: ClusterOptions,
  prepare: (cases: CaseCluster) => Promise<void> = async () => {},
): () => CaseCluster {
  const cluster = clusterForSuite(options);
  let cases: CaseCluster | null = null;
  before(async () => {
    cases = { cluster: cluster(), api: await CaseApi.open(cluster().controlPlane) };
    // They would announce every case's pool from everywhere, and overlap the pool of one.
    const both = ["l2advertisement/everything", "ipaddresspool/lan", "-n", "metallb-system"];
    await cluster().controlPlane.kubectl(["delete", ...both]);
    await prepare(cases);
  });
  after(() => cases?.api.close());
  return () => {
    if (cases === null) throw new Error("The cluster is not prepared yet");
    return cases;
  };
}

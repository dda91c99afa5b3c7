// The cluster as the administrator sees it: who may do what, objects that are to be as they should,
// credentials of a node. Every failure is an AppError for whoever ran lbctl.

import { setTimeout as sleep } from "node:timers/promises";
import { AppError } from "../core/errors.ts";
import { nodeAccount } from "../core/node-account.ts";
import { ApiClient, type ApiRequest } from "../k8s-sync/client.ts";
import { clusterUid } from "../k8s-sync/cluster-uid.ts";
import { fields, list, text } from "../k8s-sync/decode.ts";
import type { Kubeconfig } from "../k8s-sync/kubeconfig.ts";
import type { ApiFailure, Outcome } from "../k8s-sync/outcome.ts";
import { requestToken } from "../k8s-sync/token-request.ts";
import { type ApiObject, resourceOf } from "./objects.ts";
import type { Access } from "./rights.ts";

export type Change = "created" | "changed" | "unchanged";

const FIELD_MANAGER = "lbctl";
const APPLY = "application/apply-patch+yaml";
const REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
const ESTABLISHED_MS_MAX = 30_000;
const LOOK_EVERY_MS = 200;
/** More than the daemon's: a first apply of the definitions is much for a small API server. */
const TIMEOUT_MS = 30_000;

export class Cluster {
  readonly client: ApiClient;

  constructor(kubeconfig: Kubeconfig) {
    this.client = new ApiClient(kubeconfig, { version: "lbctl", timeoutMs: TIMEOUT_MS });
  }

  async close(): Promise<void> {
    await this.client.close();
  }

  /** The UID of kube-system. */
  async uid(): Promise<string> {
    return outcomeValue(await clusterUid(this.client, { timeoutMs: TIMEOUT_MS }));
  }

  /** Those of the rights that this user does not have. */
  async missing(rights: readonly Access[]): Promise<Access[]> {
    const allowed = await Promise.all(rights.map((access) => this.#isAllowed(access)));
    return rights.filter((_, index) => allowed[index] === false);
  }

  async #isAllowed(access: Access): Promise<boolean> {
    const [resource, subresource = ""] = access.resource.split("/");
    const { verb, group, namespace, name } = access;
    const resourceAttributes = {
      ...{ verb, group, resource, subresource, namespace: namespace ?? "", name: name ?? "" },
    };
    const body = {
      apiVersion: "authorization.k8s.io/v1",
      kind: "SelfSubjectAccessReview",
      spec: { resourceAttributes },
    };
    const answer = await this.#ask({ method: "POST", path: REVIEWS, body });
    return fields(fields(answer).status).allowed === true;
  }

  /** Makes the object as it should be, and says whether it was. */
  async apply(object: ApiObject): Promise<Change> {
    const { path } = resourceOf(object);
    const before = await this.#find(path);
    const query = { fieldManager: FIELD_MANAGER, force: true };
    const request = { method: "PATCH", path, query, contentType: APPLY, body: object } as const;
    const after = await this.#ask(request);
    if (before === null) return "created";
    return contentOf(before) === contentOf(after) ? "unchanged" : "changed";
  }

  /** False: it was not there. */
  async remove(object: ApiObject): Promise<boolean> {
    const { path } = resourceOf(object);
    const answer = await this.client.request({ method: "DELETE", path });
    if (!answer.ok && answer.failure.kind === "not-found") return false;
    outcomeValue(answer);
    return true;
  }

  async has(object: ApiObject): Promise<boolean> {
    return (await this.#find(resourceOf(object).path)) !== null;
  }

  /** Until the API server serves the resources of the definitions. */
  async established(definitions: readonly ApiObject[]): Promise<void> {
    for (let waitedMs = 0; ; waitedMs += LOOK_EVERY_MS) {
      const found = await Promise.all(definitions.map((one) => this.#find(resourceOf(one).path)));
      if (found.every(isEstablished)) return;
      if (waitedMs >= ESTABLISHED_MS_MAX) {
        const message =
          "Cannot finish: the API server does not serve the custom resources yet; " +
          "kubectl get crd -o yaml says why; then run this again";
        throw new AppError("REFUSED", message);
      }
      await sleep(LOOK_EVERY_MS);
    }
  }

  /** Bound to the Node object where there is one, and the server can. */
  async token(node: string, namespace: string, lifeSeconds: number): Promise<string> {
    const found = await this.#find(`/api/v1/nodes/${node}`).catch(() => null);
    const uid = text(fields(fields(found).metadata).uid);
    const bound = uid === undefined ? null : { name: node, uid };
    const about = { namespace, account: nodeAccount(node), timeoutMs: TIMEOUT_MS };
    const wish = { ...about, lifeSeconds, node: bound };
    return outcomeValue(await requestToken(this.client, wish));
  }

  async #find(path: string): Promise<unknown> {
    const answer = await this.client.request({ method: "GET", path });
    if (!answer.ok && answer.failure.kind === "not-found") return null;
    return outcomeValue(answer);
  }

  async #ask(request: ApiRequest): Promise<unknown> {
    return outcomeValue(await this.client.request(request));
  }
}

export function outcomeValue<T>(outcome: Outcome<T>): T {
  if (outcome.ok) return outcome.value;
  throw errorOf(outcome.failure);
}

/** The exit statuses of lbctl: refused, not there, or nobody to ask. */
export function errorOf(failure: ApiFailure): AppError {
  switch (failure.kind) {
    case "unauthorized":
    case "forbidden":
    case "invalid":
    case "conflict":
    case "already-exists":
      return new AppError("REFUSED", failure.message);
    case "not-found":
      return new AppError("NOT_FOUND", failure.message);
    case "timeout":
      return new AppError("DAEMON_TIMEOUT", failure.message);
    default:
      return new AppError("DAEMON_UNREACHABLE", failure.message);
  }
}

/** Without the books that the API server keeps of it: an apply may change those alone. */
function contentOf(object: unknown): string {
  const { metadata, ...rest } = fields(object);
  const { resourceVersion, managedFields, ...about } = fields(metadata);
  return JSON.stringify([rest, about]);
}

function isEstablished(definition: unknown): boolean {
  const conditions = list(fields(fields(definition).status).conditions);
  return conditions.some((one) => {
    const { type, status } = fields(one);
    return type === "Established" && status === "True";
  });
}

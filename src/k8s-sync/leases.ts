// Leases of one namespace. Every write but the first carries the resourceVersion that was read, so
// that of two writers one gets a conflict. What a Lease means is decided in src/ownership.

import { toMicroTime, type WallMs } from "../core/time.ts";
import type { ApiRequest, ApiRequests } from "./client.ts";
import { decodeLease } from "./decode.ts";
import { listAll } from "./lister.ts";
import type { Lease, OwnerReference } from "./model.ts";
import { failed, type Outcome, success } from "./outcome.ts";

export interface LeaseWrite {
  readonly name: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly ownerReferences?: readonly OwnerReference[];
  /** "" = held by nobody. */
  readonly holderIdentity: string;
  readonly leaseDurationSeconds: number;
  readonly acquireTime?: WallMs | undefined;
  readonly renewTime?: WallMs | undefined;
  readonly leaseTransitions: number;
}

export interface LeaseUpdate extends LeaseWrite {
  /** Of the Lease as it was read. */
  readonly resourceVersion: string;
  /** When given, a Lease made anew under the same name conflicts too. */
  readonly uid?: string;
}

export interface CallOptions {
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal | undefined;
}

/** What must still be true of a Lease for it to be deleted; otherwise the outcome is a conflict. */
export interface LeasePrecondition {
  readonly resourceVersion?: string;
  readonly uid?: string;
}

export interface LeaseList {
  readonly items: Lease[];
  readonly resourceVersion: string;
}

/** A Lease is less than a kilobyte, and whoever reads all of them waits for the last page. */
const PAGE_SIZE = 2_000;

export class LeaseClient {
  readonly #client: ApiRequests;
  readonly #namespace: string;

  constructor(client: ApiRequests, namespace: string) {
    this.#client = client;
    this.#namespace = namespace;
  }

  /** The collection's path, for a reflector. */
  get path(): string {
    return `/apis/coordination.k8s.io/v1/namespaces/${this.#namespace}/leases`;
  }

  async list(options: CallOptions = {}): Promise<Outcome<LeaseList>> {
    const resource = { path: this.path, name: "leases" };
    const pageSize = PAGE_SIZE;
    return listAll(this.#client, resource, { decode: decodeLease, pageSize, ...options });
  }

  get(name: string, options: CallOptions = {}): Promise<Outcome<Lease>> {
    return this.#request({ method: "GET", path: this.#pathOf(name), ...options });
  }

  /** already-exists when there is one. */
  create(lease: LeaseWrite, options: CallOptions = {}): Promise<Outcome<Lease>> {
    const body = leaseBody(lease, { namespace: this.#namespace });
    return this.#request({ method: "POST", path: this.path, body, ...options });
  }

  /** Replaces the whole Lease; conflict when it is no longer the one that was read. */
  async update(lease: LeaseUpdate, options: CallOptions = {}): Promise<Outcome<Lease>> {
    if (lease.resourceVersion === "") {
      // The API server would take this for "whatever the version": a blind write.
      return failed("invalid", `Cannot update leases "${lease.name}": no resourceVersion given`);
    }
    const { resourceVersion, uid } = lease;
    const body = leaseBody(lease, { namespace: this.#namespace, resourceVersion, uid });
    return this.#request({ method: "PUT", path: this.#pathOf(lease.name), body, ...options });
  }

  /** not-found when it is gone already, conflict when the precondition does not hold. */
  async delete(
    name: string,
    precondition: LeasePrecondition & CallOptions = {},
  ): Promise<Outcome<null>> {
    const { resourceVersion, uid, timeoutMs, signal } = precondition;
    const preconditions = { resourceVersion, uid };
    const body = { kind: "DeleteOptions", apiVersion: "v1", preconditions };
    const limit = timeoutMs === undefined ? {} : { timeoutMs };
    const path = this.#pathOf(name);
    const answer = await this.#client.request({ method: "DELETE", path, body, signal, ...limit });
    return answer.ok ? success(null) : answer;
  }

  #pathOf(name: string): string {
    return `${this.path}/${encodeURIComponent(name)}`;
  }

  async #request(request: ApiRequest): Promise<Outcome<Lease>> {
    const answer = await this.#client.request(request);
    if (!answer.ok) return answer;
    const lease = decodeLease(answer.value);
    if (lease !== null) return success(lease);
    return failed(
      "not-json",
      `Cannot read the answer to a request for "${request.path}": no Lease`,
    );
  }
}

function leaseBody(
  lease: LeaseWrite,
  metadata: { namespace: string; resourceVersion?: string; uid?: string | undefined },
): unknown {
  const { name, labels, annotations, ownerReferences } = lease;
  return {
    apiVersion: "coordination.k8s.io/v1",
    kind: "Lease",
    metadata: { name, labels, annotations, ownerReferences, ...metadata },
    spec: {
      holderIdentity: lease.holderIdentity,
      leaseDurationSeconds: lease.leaseDurationSeconds,
      acquireTime: microTime(lease.acquireTime),
      renewTime: microTime(lease.renewTime),
      leaseTransitions: lease.leaseTransitions,
    },
  };
}

function microTime(at: WallMs | undefined): string | undefined {
  return at === undefined ? undefined : toMicroTime(at);
}

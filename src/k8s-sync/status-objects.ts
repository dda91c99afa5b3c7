// Objects of group metallb.io that lbd makes for people and programs to read. Their status is a
// subresource: it is written on a path of its own, and what a create says of it is dropped.

import type { ApiRequest, ApiRequests } from "./client.ts";
import { decodeOwnedObject } from "./decode.ts";
import type { CallOptions } from "./leases.ts";
import { listAll } from "./lister.ts";
import type { OwnedObject, OwnerReference } from "./model.ts";
import { failed, type Outcome, success } from "./outcome.ts";

export type StatusResource = keyof typeof KINDS;

export interface StatusObjectMeta {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly owner: OwnerReference;
}

const KINDS = {
  configurationstates: "ConfigurationState",
  servicel2statuses: "ServiceL2Status",
  servicebgpstatuses: "ServiceBGPStatus",
  ipaddresspools: "IPAddressPool",
} as const;
const API_VERSION = "metallb.io/v1beta1";
const MERGE_PATCH = "application/merge-patch+json";

export class StatusObjectClient {
  readonly #client: ApiRequests;
  readonly #resource: StatusResource;
  readonly path: string;

  constructor(client: ApiRequests, options: { namespace: string; resource: StatusResource }) {
    const { namespace, resource } = options;
    this.#client = client;
    this.#resource = resource;
    this.path = `/apis/${API_VERSION}/namespaces/${encodeURIComponent(namespace)}/${resource}`;
  }

  async list(labelSelector: string): Promise<Outcome<readonly OwnedObject[]>> {
    const resource = { path: this.path, name: this.#resource, labelSelector };
    const listed = await listAll(this.#client, resource, { decode: decodeOwnedObject });
    return listed.ok ? success(listed.value.items) : listed;
  }

  /** Without its status. already-exists when there is one. */
  create(meta: StatusObjectMeta, options: CallOptions = {}): Promise<Outcome<OwnedObject>> {
    const kind = KINDS[this.#resource];
    const body = { apiVersion: API_VERSION, kind, metadata: metadataOf(meta) };
    return this.#request({ method: "POST", path: this.path, body, ...options });
  }

  patchMetadata(meta: StatusObjectMeta, options: CallOptions = {}): Promise<Outcome<OwnedObject>> {
    const path = this.#pathOf(meta.name);
    return this.#patch({ path, body: { metadata: metadataOf(meta) }, ...options });
  }

  /** Fields that `status` does not have stay. */
  patchStatus(
    name: string,
    status: object,
    options: CallOptions = {},
  ): Promise<Outcome<OwnedObject>> {
    return this.#patch({ path: `${this.#pathOf(name)}/status`, body: { status }, ...options });
  }

  /** conflict when it is another object of that name. */
  async delete(name: string, uid: string, options: CallOptions = {}): Promise<Outcome<null>> {
    const body = { kind: "DeleteOptions", apiVersion: "v1", preconditions: { uid } };
    const path = this.#pathOf(name);
    const answer = await this.#client.request({ method: "DELETE", path, body, ...options });
    return answer.ok ? success(null) : answer;
  }

  #pathOf(name: string): string {
    return `${this.path}/${encodeURIComponent(name)}`;
  }

  #patch(patch: Omit<ApiRequest, "method">): Promise<Outcome<OwnedObject>> {
    return this.#request({ method: "PATCH", contentType: MERGE_PATCH, ...patch });
  }

  async #request(request: ApiRequest): Promise<Outcome<OwnedObject>> {
    const answer = await this.#client.request(request);
    if (!answer.ok) return answer;
    const object = decodeOwnedObject(answer.value);
    if (object !== null) return success(object);
    const asked = `a request for "${request.path}"`;
    return failed("not-json", `Cannot read the answer to ${asked}: no ${KINDS[this.#resource]}`);
  }
}

function metadataOf({ name, labels, owner }: StatusObjectMeta): object {
  return { name, labels, ownerReferences: [owner] };
}

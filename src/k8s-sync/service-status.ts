// Writes a Service's allocation: the addresses in its status and our annotations, in one write, so
// that nobody ever sees the one without the other.

import type { ApiRequests } from "./client.ts";
import { decodeService } from "./decode.ts";
import type { CallOptions } from "./leases.ts";
import type { Service } from "./model.ts";
import { failed, type Outcome, success } from "./outcome.ts";

export interface ServiceVersion {
  readonly namespace: string;
  readonly name: string;
  /** Of the Service that the decision was made on; an older one than the server's conflicts. */
  readonly resourceVersion: string;
}

export interface ServiceStatusChange {
  /** All addresses; [] takes them away. ipMode is left to the API server's default. */
  readonly ingress: readonly { readonly ip: string }[];
  /** null removes an annotation; the others stay. */
  readonly annotations: Readonly<Record<string, string | null>>;
}

/** conflict when the Service has changed since it was read; read it again then. */
export async function patchServiceStatus(
  client: ApiRequests,
  service: ServiceVersion,
  change: ServiceStatusChange,
  options: CallOptions = {},
): Promise<Outcome<Service>> {
  const namespace = encodeURIComponent(service.namespace);
  const name = encodeURIComponent(service.name);
  const answer = await client.request({
    method: "PATCH",
    path: `/api/v1/namespaces/${namespace}/services/${name}/status`,
    contentType: "application/merge-patch+json",
    body: {
      metadata: { resourceVersion: service.resourceVersion, annotations: change.annotations },
      // A merge patch replaces lists whole, so that addresses of before do not linger.
      status: { loadBalancer: { ingress: change.ingress.map(({ ip }) => ({ ip })) } },
    },
    ...options,
  });
  if (!answer.ok) return answer;
  const decoded = decodeService(answer.value);
  if (decoded !== null) return success(decoded);
  const asked = `"${service.namespace}/${service.name}"`;
  return failed("not-json", `Cannot read the answer to the status patch of ${asked}: no Service`);
}

// Kubernetes URLs, selectors and kinds for the fake API server. Pure.

import type { JsonObject, ObjectRef, StoredObject } from "./fake-api-server-store.ts";

export interface Route {
  readonly ref: ObjectRef;
  /** Whether one object is meant and not the collection. */
  readonly single: boolean;
  readonly subresource: string;
  readonly apiVersion: string;
  readonly resource: string;
}

/** null when the path is not that of a resource. */
export function parseRoute(pathname: string): Route | null {
  const parts = pathname.split("/").filter(Boolean).map(decodeURIComponent);
  const core = parts[0] === "api";
  if (!core && parts[0] !== "apis") return null;
  const apiVersion = core ? (parts[1] ?? "") : `${parts[1]}/${parts[2]}`;
  let rest = parts.slice(core ? 2 : 3);
  let namespace = "";
  if (rest[0] === "namespaces" && rest.length > 2) {
    namespace = rest[1] ?? "";
    rest = rest.slice(2);
  }
  const [resource, name = "", subresource = ""] = rest;
  if (resource === undefined) return null;
  const collection = `${apiVersion}/${resource}`;
  const ref = { collection, namespace, name };
  return { ref, single: name !== "", subresource, apiVersion, resource };
}

const KINDS: Readonly<Record<string, string>> = {
  ipaddresspools: "IPAddressPool",
  l2advertisements: "L2Advertisement",
  configmaps: "ConfigMap",
  endpointslices: "EndpointSlice",
  bgppeers: "BGPPeer",
  bgpadvertisements: "BGPAdvertisement",
};

export function kindOf(resource: string): string {
  const singular = resource.replace(/s$/, "");
  return KINDS[resource] ?? singular.charAt(0).toUpperCase() + singular.slice(1);
}

/** Equality, inequality and existence; fields: metadata.name and metadata.namespace. */
export function matchesSelectors(object: StoredObject, query: URLSearchParams): boolean {
  const labels = (object.metadata.labels ?? {}) as JsonObject;
  const fields: JsonObject = {
    "metadata.name": object.metadata.name,
    "metadata.namespace": object.metadata.namespace ?? "",
  };
  return (
    matchesTerms(query.get("labelSelector"), labels) &&
    matchesTerms(query.get("fieldSelector"), fields)
  );
}

function matchesTerms(selector: string | null, values: JsonObject): boolean {
  if (selector === null || selector === "") return true;
  return selector.split(",").every((term) => {
    const match = /^(!?)([^=!]+?)(?:(!?=)=?(.*))?$/.exec(term.trim());
    if (match === null) return false;
    const [, not, key = "", operator, value] = match;
    if (operator === undefined) return key in values !== (not === "!");
    return (values[key] === value) === (operator === "=");
  });
}

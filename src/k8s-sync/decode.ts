// From parsed JSON to the model. Tolerant: a field of the wrong type counts as absent, and only an
// object without a name is refused (null). Never throws, whatever the API server sends.

import { type WallMs, wallMs } from "../core/time.ts";
import type {
  Endpoint,
  EndpointSlice,
  Lease,
  Node,
  ObjectMeta,
  OwnedObject,
  RawObject,
  Service,
  ServiceIngress,
  ServicePort,
} from "./model.ts";

type Fields = Readonly<Record<string, unknown>>;

export function decodeObject(raw: unknown): RawObject | null {
  const object = fields(raw);
  const metadata = decodeMeta(object.metadata);
  if (metadata === null) return null;
  return {
    apiVersion: text(object.apiVersion) ?? "",
    kind: text(object.kind) ?? "",
    metadata,
    spec: object.spec ?? null,
    status: object.status ?? null,
    data: textMap(object.data),
  };
}

export function decodeOwnedObject(raw: unknown): OwnedObject | null {
  const object = decodeObject(raw);
  if (object === null) return null;
  const references = list(fields(fields(raw).metadata).ownerReferences).filter(isFields);
  const ownerReferences = references.map((one) => ({
    apiVersion: text(one.apiVersion) ?? "",
    kind: text(one.kind) ?? "",
    name: text(one.name) ?? "",
    uid: text(one.uid) ?? "",
  }));
  return { ...object, ownerReferences };
}

export function decodeService(raw: unknown): Service | null {
  const object = fields(raw);
  const metadata = decodeMeta(object.metadata);
  if (metadata === null) return null;
  const spec = fields(object.spec);
  const balancer = fields(fields(object.status).loadBalancer);
  return {
    metadata,
    spec: {
      type: text(spec.type) ?? "ClusterIP",
      clusterIPs: texts(spec.clusterIPs),
      ipFamilies: texts(spec.ipFamilies),
      ports: list(spec.ports).map(decodePort).filter(isPresent),
      ...optionalText("loadBalancerIP", spec.loadBalancerIP),
      ...optionalText("loadBalancerClass", spec.loadBalancerClass),
      ...optionalText("ipFamilyPolicy", spec.ipFamilyPolicy),
      ...optionalText("externalTrafficPolicy", spec.externalTrafficPolicy),
      ...(isFields(spec.selector) ? { selector: textMap(spec.selector) } : {}),
    },
    status: { ingress: list(balancer.ingress).filter(isFields).map(decodeIngress) },
  };
}

function decodePort(raw: unknown): ServicePort | null {
  const object = fields(raw);
  const port = object.port;
  if (typeof port !== "number") return null;
  return { protocol: text(object.protocol) ?? "TCP", port, ...optionalText("name", object.name) };
}

function decodeIngress(object: Fields): ServiceIngress {
  return {
    ...optionalText("ip", object.ip),
    ...optionalText("hostname", object.hostname),
    ...optionalText("ipMode", object.ipMode),
  };
}

export function decodeNode(raw: unknown): Node | null {
  const object = fields(raw);
  const metadata = decodeMeta(object.metadata);
  if (metadata === null) return null;
  const spec = fields(object.spec);
  const status = fields(object.status);
  return {
    metadata,
    unschedulable: spec.unschedulable === true,
    taints: pairs(spec.taints, "key", "effect"),
    conditions: pairs(status.conditions, "type", "status"),
    addresses: pairs(status.addresses, "type", "address"),
  };
}

/** discovery.k8s.io/v1: `ready` counts as true when absent, `serving` as `ready`. */
export function decodeEndpointSlice(raw: unknown): EndpointSlice | null {
  const object = fields(raw);
  const metadata = decodeMeta(object.metadata);
  if (metadata === null) return null;
  return { metadata, endpoints: list(object.endpoints).filter(isFields).map(decodeEndpoint) };
}

function decodeEndpoint(object: Fields): Endpoint {
  const { ready, serving } = fields(object.conditions);
  const isReady = ready !== false;
  const isServing = typeof serving === "boolean" ? serving : isReady;
  return { nodeName: text(object.nodeName) ?? null, isReady, isServing };
}

export function decodeLease(raw: unknown): Lease | null {
  const object = fields(raw);
  const metadata = decodeMeta(object.metadata);
  if (metadata === null) return null;
  const spec = fields(object.spec);
  return {
    metadata,
    spec: {
      holderIdentity: text(spec.holderIdentity) ?? null,
      leaseDurationSeconds: integer(spec.leaseDurationSeconds),
      acquireTime: time(spec.acquireTime),
      renewTime: time(spec.renewTime),
      leaseTransitions: integer(spec.leaseTransitions),
    },
  };
}

/** The `metadata.resourceVersion` of anything, lists and bookmarks included; "" when absent. */
export function resourceVersionOf(raw: unknown): string {
  return text(fields(fields(raw).metadata).resourceVersion) ?? "";
}

/** The items of a list object with what is needed to get its next page. */
export function decodeList(raw: unknown): {
  items: readonly unknown[];
  resourceVersion: string;
  continue: string;
} {
  const object = fields(raw);
  return {
    items: list(object.items),
    resourceVersion: resourceVersionOf(raw),
    continue: text(fields(object.metadata).continue) ?? "",
  };
}

export function decodeMeta(raw: unknown): ObjectMeta | null {
  const object = fields(raw);
  const name = text(object.name);
  if (name === undefined || name === "") return null;
  return {
    name,
    namespace: text(object.namespace) ?? "",
    uid: text(object.uid) ?? "",
    resourceVersion: text(object.resourceVersion) ?? "",
    annotations: textMap(object.annotations),
    labels: textMap(object.labels),
    ...optionalText("deletionTimestamp", object.deletionTimestamp),
  };
}

export function isFields(raw: unknown): raw is Fields {
  return typeof raw === "object" && raw !== null && !Array.isArray(raw);
}

export function fields(raw: unknown): Fields {
  return isFields(raw) ? raw : {};
}

export function list(raw: unknown): readonly unknown[] {
  return Array.isArray(raw) ? raw : [];
}

export function text(raw: unknown): string | undefined {
  return typeof raw === "string" ? raw : undefined;
}

export function texts(raw: unknown): readonly string[] {
  return list(raw).filter((item) => typeof item === "string");
}

function integer(raw: unknown): number | null {
  return Number.isSafeInteger(raw) ? (raw as number) : null;
}

function time(raw: unknown): WallMs | null {
  const at = typeof raw === "string" ? Date.parse(raw) : Number.NaN;
  return Number.isNaN(at) ? null : wallMs(at);
}

function isPresent<T>(value: T | null): value is T {
  return value !== null;
}

function optionalText<K extends string>(key: K, raw: unknown): { [P in K]?: string } {
  return typeof raw === "string" && raw !== "" ? ({ [key]: raw } as { [P in K]: string }) : {};
}

/** The string values of a map; what is no string is left out. */
export function textMap(raw: unknown): Readonly<Record<string, string>> {
  if (!isFields(raw)) return {};
  const entries = Object.entries(raw).filter((entry) => typeof entry[1] === "string");
  return Object.fromEntries(entries) as Record<string, string>;
}

function pairs<A extends string, B extends string>(raw: unknown, a: A, b: B) {
  return list(raw)
    .filter(isFields)
    .map(
      (item) => ({ [a]: text(item[a]) ?? "", [b]: text(item[b]) ?? "" }) as Record<A | B, string>,
    );
}

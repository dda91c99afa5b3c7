// What a Service asks of the allocator, read from its spec, annotations and status.

import type { Ip, IpFamily } from "../core/address.ts";
import { ipFamily, parseIp } from "../core/address.ts";
import { showValue } from "../core/problem.ts";
import type { ServiceRequest } from "../ipam/types.ts";
import type { Service } from "../k8s-sync/model.ts";
import { objectKey } from "../k8s-sync/model.ts";

/** MetalLB's present prefix and its older one; the first that is there counts, though empty. */
const PREFIXES = ["metallb.io/", "metallb.universe.tf/"];
/** Written beside the addresses: the pool that they come from. */
export const POOL_ANNOTATION = "metallb.io/ip-allocated-from-pool";

/**
 * Whether the Service is lbd's to look after: without a setting those that have no class, with one
 * (`loadBalancerClass`) those that have exactly this class.
 */
export function isOurs(service: Service, loadBalancerClass?: string): boolean {
  return service.spec.loadBalancerClass === loadBalancerClass;
}

/** True for one that wants an address: type LoadBalancer, with a cluster IP to forward to. */
export function wantsAddress(service: Service): boolean {
  return service.spec.type === "LoadBalancer" && clusterFamilies(service).length > 0;
}

/** The addresses in the status; entries with a host name only are not ours to judge. */
export function currentAddresses(service: Service): Ip[] {
  return service.status.ingress.flatMap(({ ip }) => parseIp(ip ?? "") ?? []);
}

/** Kube-proxies would leave what comes to its addresses alone: no node could forward it. */
export function isLeftToProxy({ status }: Service): boolean {
  return status.ingress.some(({ ipMode }) => ipMode === "Proxy");
}

export function serviceRequest(service: Service): ServiceRequest {
  const { metadata, spec } = service;
  return {
    key: objectKey(service),
    namespace: metadata.namespace,
    labels: metadata.labels,
    families: clusterFamilies(service),
    familyPolicy: familyPolicy(spec.ipFamilyPolicy),
    requested: requestedAddresses(service),
    pool: requestedPool(service),
    sharingKey: annotation(service, "allow-shared-ip")?.value ?? "",
    backend: spec.externalTrafficPolicy === "Local" ? selectorText(spec.selector ?? {}) : "",
    ports: spec.ports.map(({ protocol, port }) => `${protocol}/${port}`),
    current: currentAddresses(service),
  };
}

/** The pool that it asks for by annotation, or null. */
export function requestedPool(service: Service): string | null {
  return annotation(service, "address-pool")?.value || null;
}

/** Whether the annotation for sharing is there, which counts even where its value is empty. */
export function mayShare(service: Service): boolean {
  return annotation(service, "allow-shared-ip") !== null;
}

/** `spec.loadBalancerIP` or the annotation; both at once cannot be followed. */
export function requestedAddresses(service: Service): ServiceRequest["requested"] {
  const found = annotation(service, "loadBalancerIPs");
  const fromAnnotation = found?.value ?? "";
  const fromSpec = service.spec.loadBalancerIP ?? "";
  if (fromAnnotation === "") {
    return fromSpec === "" ? [] : parseAddresses([fromSpec], "spec.loadBalancerIP");
  }
  const where = `the annotation "${found?.name}"`;
  if (fromSpec !== "")
    return { unreadable: `both spec.loadBalancerIP and ${where} are set: keep one` };
  return parseAddresses(fromAnnotation.split(","), where);
}

function parseAddresses(texts: readonly string[], where: string): ServiceRequest["requested"] {
  const addresses: Ip[] = [];
  for (const text of texts) {
    const ip = parseIp(text.trim());
    if (ip === null) {
      return { unreadable: `${where}: found ${showValue(text.trim())}, expected an IP` };
    }
    if (addresses.some((other) => ipFamily(other) === ipFamily(ip))) {
      return { unreadable: `${where}: found two addresses of one family, expected one of each` };
    }
    addresses.push(ip);
  }
  return addresses;
}

/** The annotations of the Service that have the older prefix, sorted. */
export function deprecatedAnnotations({ metadata }: Service): string[] {
  return Object.keys(metadata.annotations)
    .filter((name) => name.startsWith("metallb.universe.tf"))
    .sort();
}

/** An annotation of MetalLB's, under the prefix that it has; null: under none. */
function annotation(service: Service, suffix: string): { name: string; value: string } | null {
  for (const prefix of PREFIXES) {
    const name = prefix + suffix;
    const value = service.metadata.annotations[name];
    if (value !== undefined) return { name, value };
  }
  return null;
}

function familyPolicy(policy: string | undefined): ServiceRequest["familyPolicy"] {
  return policy === "PreferDualStack" || policy === "RequireDualStack" ? policy : "SingleStack";
}

/** The same for two selectors that select the same; "" for one that selects nothing. */
function selectorText(selector: Readonly<Record<string, string>>): string {
  const parts = Object.entries(selector).map(([key, value]) => `${key}=${value}`);
  return parts.sort().join(",");
}

function clusterFamilies(service: Service): IpFamily[] {
  return service.spec.clusterIPs.flatMap((text) => {
    const ip = parseIp(text);
    return ip === null ? [] : [ipFamily(ip)];
  });
}

// What a Service asks of the allocator, read from its spec, annotations and status.

import type { Ip, IpFamily } from "../core/address.ts";
import { ipFamily, parseIp } from "../core/address.ts";
import { showValue } from "../core/problem.ts";
import type { ServiceRequest } from "../ipam/types.ts";
import type { Service } from "../k8s-sync/model.ts";
import { objectKey } from "../k8s-sync/model.ts";

/** The annotation in MetalLB's present and older spelling; the first that is there counts. */
const REQUEST_ANNOTATIONS = ["metallb.io/loadBalancerIPs", "metallb.universe.tf/loadBalancerIPs"];
/** Written beside the addresses: the pool that they come from. */
export const POOL_ANNOTATION = "metallb.io/ip-allocated-from-pool";

/** Whether the Service is lbd's to look after; one with a class is somebody else's. */
export function isOurs(service: Service): boolean {
  return service.spec.loadBalancerClass === undefined;
}

/** True for one that wants an address: type LoadBalancer, with a cluster IP to forward to. */
export function wantsAddress(service: Service): boolean {
  return service.spec.type === "LoadBalancer" && clusterFamilies(service).length > 0;
}

/** The addresses in the status; entries with a host name only are not ours to judge. */
export function currentAddresses(service: Service): Ip[] {
  return service.status.ingress.flatMap(({ ip }) => parseIp(ip ?? "") ?? []);
}

export function serviceRequest(service: Service): ServiceRequest {
  return {
    key: objectKey(service),
    families: clusterFamilies(service),
    oneFamilyIsEnough: service.spec.ipFamilyPolicy !== "RequireDualStack",
    requested: requestedAddresses(service),
    current: currentAddresses(service),
  };
}

/** `spec.loadBalancerIP` or the annotation; both at once cannot be followed. */
export function requestedAddresses(service: Service): ServiceRequest["requested"] {
  const { annotations } = service.metadata;
  const key = REQUEST_ANNOTATIONS.find((name) => annotations[name] !== undefined);
  const fromAnnotation = key === undefined ? "" : (annotations[key] ?? "");
  const fromSpec = service.spec.loadBalancerIP ?? "";
  if (fromAnnotation !== "" && fromSpec !== "") {
    return { unreadable: `both spec.loadBalancerIP and the annotation "${key}" are set: keep one` };
  }
  const where = fromSpec !== "" ? "spec.loadBalancerIP" : `the annotation "${key}"`;
  return parseAddresses(fromSpec !== "" ? fromSpec : fromAnnotation, where);
}

function parseAddresses(text: string, where: string): ServiceRequest["requested"] {
  if (text === "") return [];
  const addresses: Ip[] = [];
  for (const part of text.split(",")) {
    const ip = parseIp(part.trim());
    if (ip === null)
      return { unreadable: `${where}: found ${showValue(part.trim())}, expected an IP` };
    if (addresses.some((other) => ipFamily(other) === ipFamily(ip))) {
      return { unreadable: `${where}: found two addresses of one family, expected one of each` };
    }
    addresses.push(ip);
  }
  return addresses;
}

function clusterFamilies(service: Service): IpFamily[] {
  return service.spec.clusterIPs.flatMap((text) => {
    const ip = parseIp(text);
    return ip === null ? [] : [ipFamily(ip)];
  });
}

// Whether addresses are what a Service asks for: as many, of the right families, the very ones.

import type { Ip } from "../core/address.ts";
import { ipFamily } from "../core/address.ts";
import type { ServiceRequest } from "./types.ts";

/** One address of each family of the Service. */
export function fitsFamilies({ families }: ServiceRequest, addresses: readonly Ip[]): boolean {
  const found = new Set(addresses.map(ipFamily));
  const isComplete = found.size === addresses.length && found.size === families.length;
  return isComplete && families.every((family) => found.has(family));
}

/** One address where two would be preferred. */
export function isOneOfTwo(request: ServiceRequest, addresses: readonly Ip[]): boolean {
  const isContent = request.familyPolicy === "PreferDualStack" && request.families.length > 1;
  return isContent && addresses.length === 1;
}

export function isRequestMet(requested: readonly Ip[], current: readonly Ip[]): boolean {
  if (requested.length === 0) return true;
  return requested.length === current.length && requested.every((ip) => current.includes(ip));
}

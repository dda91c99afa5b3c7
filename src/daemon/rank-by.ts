// By which address the nodes rank for a VIP.

import type { Ip } from "../core/address.ts";
import type { Service } from "../k8s-sync/model.ts";
import { objectKey } from "../k8s-sync/model.ts";

/**
 * Both addresses of a dual-stack Service rank by its first one: one node owns both. Where Services
 * share an address, by the first address of the first of them by name, in whatever order they come.
 */
export function rankByOf(
  address: Ip,
  services: readonly Service[],
  addressesOf: (service: Service) => readonly Ip[],
): Ip {
  const [first] = services.toSorted((a, b) => (objectKey(a) < objectKey(b) ? -1 : 1));
  return (first === undefined ? undefined : addressesOf(first)[0]) ?? address;
}

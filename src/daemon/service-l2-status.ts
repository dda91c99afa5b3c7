// ServiceL2Status: which node answers for a Service, in the shape that users of MetalLB know. One
// for each Service and node that owns an address of it, so that Services with one VIP have one
// each. Pure.

import { createHash } from "node:crypto";
import type { Ip } from "../core/address.ts";
import type { Node, OwnedObject } from "../k8s-sync/model.ts";
import { MANAGED_BY } from "./ownership-driver.ts";
import { labelValue, ownerOf, statusOf, type WantedObject } from "./status-object.ts";

const NODE_LABEL = "metallb.io/node";

export interface AnnouncedVip {
  /** `namespace/name` of each Service that has it. */
  readonly services: readonly string[];
  /** Those that the advertisements name and that are answered on; null: they name none. */
  readonly interfaces: readonly string[] | null;
}

/** By name: an object for each Service with an address that `node` owns. */
export function wantedL2Statuses(
  node: Node,
  vips: Iterable<AnnouncedVip>,
): Map<string, WantedObject> {
  const byService = new Map<string, AnnouncedVip[]>();
  for (const vip of vips) {
    for (const key of vip.services) byService.set(key, [...(byService.get(key) ?? []), vip]);
  }
  const all = [...byService].map(([key, announced]) => wantedL2Status(node, key, announced));
  return new Map(all.map((one) => [one.name, one]));
}

function wantedL2Status(node: Node, key: string, vips: readonly AnnouncedVip[]): WantedObject {
  const isOnAll = vips.some(({ interfaces }) => interfaces === null);
  const names = isOnAll ? [] : [...new Set(vips.flatMap(({ interfaces }) => interfaces ?? []))];
  const interfaces = names.sort().map((name) => ({ name }));
  return ofService(node, key, {
    name: l2StatusName(node.metadata.name, key),
    more: { interfaces },
  });
}

/** An object that says something of a Service on a node; `more`: what that is. */
export function ofService(
  node: Node,
  key: string,
  { name, more }: { readonly name: string; readonly more: WantedObject["status"] },
): WantedObject {
  const [serviceNamespace = "", serviceName = ""] = key.split("/");
  return {
    name,
    labels: {
      ...MANAGED_BY,
      [NODE_LABEL]: labelValue(node.metadata.name),
      "metallb.io/service-name": serviceName,
      "metallb.io/service-namespace": serviceNamespace,
    },
    owner: ownerOf(node),
    status: { node: node.metadata.name, serviceName, serviceNamespace, ...more },
    immutable: ["node", "serviceName", "serviceNamespace"],
  };
}

/** The same at each attempt: a create whose answer was lost makes no second one. */
export function l2StatusName(node: string, key: string): string {
  return `l2-${digestOf(node, key)}`;
}

export function digestOf(node: string, key: string): string {
  return createHash("sha256").update(`${node}#${key}`).digest("hex").slice(0, 16);
}

const OURS = Object.entries(MANAGED_BY).map(([key, value]) => `${key}=${value}`);

/** Selects what lbd made for one node. */
export function selectorOf(node: string): string {
  return [...OURS, `${NODE_LABEL}=${labelValue(node)}`].join();
}

/** Selects what lbd made for nodes that are none of these. */
export function selectorOfOthers(nodes: readonly string[]): string {
  const isOther = nodes.length === 0 ? [] : [`${NODE_LABEL} notin (${nodes.map(labelValue)})`];
  return [...OURS, NODE_LABEL, ...isOther].join();
}

export interface OwnersNow {
  /** Whether there is a Node of that name. */
  readonly isNode: (node: string) => boolean;
  /** The addresses that a Service has now; none: it is gone. */
  readonly addressesOf: (service: string) => readonly Ip[];
  readonly ownerOf: (address: Ip) => string | null;
}

/**
 * Whether an object of a node that does not look after it any more says what is not so: its Node is
 * gone, or it owns none of the addresses.
 */
export function isStaleL2Status(object: OwnedObject, now: OwnersNow): boolean {
  const { node, serviceName, serviceNamespace } = statusOf(object);
  // Just made, its status is still to be written.
  if (typeof node !== "string") return false;
  if (!now.isNode(node)) return true;
  const addresses = now.addressesOf(`${serviceNamespace}/${serviceName}`);
  return addresses.every((address) => now.ownerOf(address) !== node);
}

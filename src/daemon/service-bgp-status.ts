// ServiceBGPStatus: to which peers a node announces a Service by BGP, in the shape that users of
// MetalLB know. It says what is intended: how the sessions are stands elsewhere. Pure.

import { createHash } from "node:crypto";
import type { Node } from "../k8s-sync/model.ts";
import { MANAGED_BY } from "./ownership-driver.ts";
import { NODE_LABEL } from "./service-l2-status.ts";
import { labelValue, ownerOf, type WantedObject } from "./status-object.ts";

/** `announced`: by Service, the names of the BGPPeers that are told. */
export function wantedBgpStatuses(
  node: Node,
  announced: ReadonlyMap<string, readonly string[]>,
): Map<string, WantedObject> {
  const all = [...announced].map(([key, peers]) => wantedBgpStatus(node, key, peers));
  return new Map(all.map((one) => [one.name, one]));
}

function wantedBgpStatus(node: Node, key: string, peers: readonly string[]): WantedObject {
  const [serviceNamespace = "", serviceName = ""] = key.split("/");
  const { name } = node.metadata;
  return {
    name: bgpStatusName(name, key),
    labels: {
      ...MANAGED_BY,
      [NODE_LABEL]: labelValue(name),
      "metallb.io/service-name": serviceName,
      "metallb.io/service-namespace": serviceNamespace,
    },
    owner: ownerOf(node),
    status: { node: name, serviceName, serviceNamespace, peers: [...peers].sort() },
    immutable: ["node", "serviceName", "serviceNamespace"],
  };
}

/** The same at each attempt: a create whose answer was lost makes no second one. */
export function bgpStatusName(node: string, key: string): string {
  return `bgp-${createHash("sha256").update(`${node}#${key}`).digest("hex").slice(0, 16)}`;
}

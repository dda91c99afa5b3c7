// ServiceBGPStatus: to which peers a node announces a Service by BGP, in the shape that users of
// MetalLB know. It says what is intended: how the sessions are stands elsewhere. Pure.

import type { Node } from "../k8s-sync/model.ts";
import { digestOf, ofService } from "./service-l2-status.ts";
import type { WantedObject } from "./status-object.ts";

/** `announced`: by Service, the names of the BGPPeers that are told. */
export function wantedBgpStatuses(
  node: Node,
  announced: ReadonlyMap<string, readonly string[]>,
): Map<string, WantedObject> {
  const all = [...announced].map(([key, peers]) => {
    const name = `bgp-${digestOf(node.metadata.name, key)}`;
    return ofService(node, key, { name, more: { peers: [...peers].sort() } });
  });
  return new Map(all.map((one) => [one.name, one]));
}

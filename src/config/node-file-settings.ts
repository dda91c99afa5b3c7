// What each setting of the node file means, in the words of its comments and of lbd.yaml(5). Types,
// limits and defaults are not told here: the schema has them.

import type { z } from "zod";
import type { nodeFileSchema } from "./node-file.ts";

type SettingKey = keyof z.infer<typeof nodeFileSchema>;

export interface Setting {
  readonly key: SettingKey;
  readonly text: string;
  /** Of the keys below it, in order. */
  readonly parts?: Readonly<Record<string, string>>;
  /** What to show where there is no default. */
  readonly example?: string;
}

export const SETTINGS: readonly Setting[] = [
  {
    key: "nodeName",
    text: "Name of this host's Node object. Default: the host name, in lower case.",
    example: "node-1",
  },
  {
    key: "kubeconfig",
    text: "The file that says how to reach the Kubernetes API.",
  },
  {
    key: "kubeconfigContext",
    text: "Which of the kubeconfig's contexts. Default: its current one.",
    example: "admin@cluster",
  },
  {
    key: "allowInsecureApi",
    text: "Accept an API server without TLS or with a certificate that cannot be checked.",
  },
  {
    key: "namespace",
    text: "Where IPAddressPools and L2Advertisements are read.",
  },
  {
    key: "systemNamespace",
    text: "Where lbd keeps its Leases.",
  },
  {
    key: "legacyConfigMap",
    text:
      "The ConfigMap that MetalLB up to 0.12 was configured with (namespace/name): it is read, " +
      "too. Another one needs a permission of its own (see deploy/rbac.yaml).",
  },
  {
    key: "stateFile",
    text: "What this node remembers.",
  },
  {
    key: "socket",
    text: "Where lbctl asks.",
  },
  {
    key: "socketGroup",
    text: "Its members may read what the socket tells; changes are for root.",
  },
  {
    key: "beacons",
    text: "How nodes watch each other on a segment. The same on all nodes.",
    parts: {
      intervalMs: "time between two beacons, in milliseconds",
      multiplier: "missed beacons after which a node counts as dead",
      port: "UDP port",
      restartHoldMs:
        "how long, in milliseconds, the peers leave this node its addresses while its daemon " +
        "restarts; 0: not at all",
    },
  },
  {
    key: "metrics",
    text:
      "Where Prometheus reads the metrics, at /metrics. There is no password: whoever reaches " +
      "the address reads the names of Services and their addresses.",
    parts: {
      address: "on which to listen",
      port: "TCP port; 0: nowhere",
    },
  },
  {
    key: "bgp",
    text:
      "How FRR, which speaks BGP for lbd, is driven. With BGPPeers that select this node FRR has " +
      "to be there (apt install frr); without them it need not.",
    parts: {
      vtysh: "FRR's shell",
      vtySockets: "folder of the sockets of FRR's daemons",
      routesWithoutDaemonSeconds:
        "how long routes stay once the daemon is gone and does not come back; 0: for ever",
      routeMapIn:
        "a route-map of FRR's own configuration that filters what peers say; empty: nothing is " +
        "accepted from them",
    },
  },
  {
    key: "allocation",
    text:
      "What becomes of an address that a Service gives up. The same on all nodes: the one that " +
      "leads goes by its own settings.",
    parts: {
      coolDownSeconds:
        "another Service does not get it for so many seconds, even on request; 0: it may at once",
      reservationHours:
        "a Service of the same namespace and name that is created anew within so many hours has " +
        "it again, unless its pool ran out of others or somebody asked for it; 0: off",
    },
  },
  {
    key: "preempt",
    text:
      "Give addresses back to the node that ranks first for them, once it is there again. " +
      "Otherwise nothing moves back by itself.",
  },
  {
    key: "drainOnCordon",
    text: 'Hand over all addresses while this host\'s Node is cordoned, as "lbctl drain" does.',
  },
  {
    key: "loadBalancerClass",
    text:
      "Look after Services of exactly this spec.loadBalancerClass, and no others; without it " +
      "after those that have none (MetalLB: --lb-class). All nodes of a cluster have to agree on " +
      "this and the next.",
    example: "example.com/lbd",
  },
  {
    key: "ignoreExcludeLabel",
    text:
      "Let nodes own addresses although they have the label " +
      "node.kubernetes.io/exclude-from-external-load-balancers (MetalLB: --ignore-exclude-lb).",
  },
  {
    key: "mode",
    text:
      '"active", or "shadow": compute and compare with what is done now ("lbctl plan shadow"), ' +
      "and do nothing.",
  },
  {
    key: "excludeInterfaces",
    text: "Interfaces never to answer on, as regular expressions.",
  },
  {
    key: "promiscuousInterfaces",
    text:
      "Interfaces that are to take in every frame, as regular expressions: for Wi-Fi and virtual " +
      "machines that let no broadcasts or groups in otherwise.",
  },
  {
    key: "logLevel",
    text: "What is logged: debug, info, warn or error, and what is worse.",
  },
];

// Pods of the lab: namespaces behind a bridge on their node, with routes between the nodes over the
// data segment, as a routing CNI plug-in would make them.

import { runIp } from "./command.ts";
import type { LabContext } from "./context.ts";
import { LabHost, namespaceOf } from "./host.ts";
import type { Lab } from "./lab.ts";
import type { LabNode } from "./node.ts";
import { addNamespaces, setKernelDefaults } from "./wiring.ts";

const BRIDGE = "cni0";

export class LabPod extends LabHost {
  readonly node: LabNode;

  constructor(context: LabContext, name: string, node: LabNode, number: number) {
    super(context, { name: `pod-${name}`, number, links: new Map() });
    this.node = node;
  }

  override address(): string {
    return `${this.node.podPrefix4}.${this.number}`;
  }

  override address6(): string {
    return `${this.node.podPrefix6}:${this.number}`;
  }
}

interface PodNetwork {
  readonly ready: Promise<void>;
  /** Pods made so far on each node; an address is not used twice. */
  readonly made: Map<string, number>;
}

const networks = new WeakMap<Lab, PodNetwork>();

/** Pod numbers start after .1, which is the node's end of the bridge. */
const POD_NUMBER_FIRST = 2;

export async function createPod(lab: Lab, name: string, node: LabNode): Promise<LabPod> {
  const network = networks.get(lab) ?? startNetwork(lab);
  const made = network.made.get(node.name) ?? 0;
  network.made.set(node.name, made + 1);
  await network.ready;
  const pod = new LabPod(lab.context, name, node, POD_NUMBER_FIRST + made);
  await addNamespaces(lab.context, [pod.namespace]);
  await setKernelDefaults(pod.namespace, false);
  const port = `veth${pod.number}`;
  const peer = `peer name eth0 netns ${pod.namespace}`;
  await runIp([`link add ${port} netns ${node.namespace} type veth ${peer}`]);
  // Hairpin: a pod may reach itself through its Service.
  const hairpin = `link set ${port} type bridge_slave hairpin on`;
  await runIp([`link set ${port} master ${BRIDGE} up`, hairpin], node.namespace);
  await runIp(podLines(pod), namespaceOf(lab.context, pod.name));
  return pod;
}

function podLines(pod: LabPod): string[] {
  const { podPrefix4, podPrefix6 } = pod.node;
  return [
    "link set lo up",
    "link set eth0 up",
    `addr add ${pod.address()}/24 dev eth0`,
    `addr add ${pod.address6()}/64 dev eth0 nodad`,
    `route add default via ${podPrefix4}.1`,
    `route add ::/0 via ${podPrefix6}:1`,
  ];
}

function startNetwork(lab: Lab): PodNetwork {
  const wired = lab.nodes.map((node) => runIp(nodeLines(lab, node), node.namespace));
  const network = { ready: Promise.all(wired).then(() => {}), made: new Map<string, number>() };
  networks.set(lab, network);
  return network;
}

function nodeLines(lab: Lab, node: LabNode): string[] {
  const routes = lab.nodes
    .filter((other) => other !== node)
    .flatMap((other) => [
      `route add ${other.podCidr} via ${other.address()}`,
      `route add ${other.podCidr6} via ${other.address6()}`,
    ]);
  return [
    `link add ${BRIDGE} type bridge stp_state 0 forward_delay 0 mcast_snooping 0`,
    `link set ${BRIDGE} up`,
    `addr add ${node.podPrefix4}.1/24 dev ${BRIDGE}`,
    `addr add ${node.podPrefix6}:1/64 dev ${BRIDGE} nodad`,
    ...routes,
  ];
}

// Makes the namespaces, bridges, cables and addresses of a lab. All names are on record in the
// ledger before anything is made.

import { mkdirSync } from "node:fs";
import { run, runIp } from "./command.ts";
import type { LabContext } from "./context.ts";
import { type HostPlan, macOf, namespaceOf } from "./host.ts";
import { LOCK_FILE, STATE_FOLDER } from "./ledger.ts";
import { Link } from "./link.ts";
import { SEGMENT_PLANS, type SegmentName } from "./segment.ts";

/** A host before it exists. */
export interface HostWish {
  readonly name: string;
  readonly number: number;
  readonly segments: readonly SegmentName[];
  /** Nodes and gateways forward packets. */
  readonly forwards: boolean;
}

export const SWITCH_NAME = "switch";

/**
 * Interface numbers of switch ports start here, so that they never equal the number of the host's
 * end. Where the two are the same the kernel takes the veth for a device without a lower one and
 * reports at most one carrier change a second (net/core/link_watch.c, linkwatch_urgent_event):
 * measured 200 ms late and then not at all, against 2 ms.
 */
const PORT_INDEX_FIRST = 1_000;

/** Namespaces are made under a lock: two `ip netns add` at the same time may stack mounts. */
export async function addNamespaces(context: LabContext, names: readonly string[]): Promise<void> {
  context.ledger.addNamespaces(names);
  mkdirSync(STATE_FOLDER, { recursive: true });
  const input = names.map((name) => `netns add ${name}\n`).join("");
  await run(["flock", LOCK_FILE, "ip", "-batch", "-"], { input });
}

/** Settings that interfaces inherit when they are made, so: before they are made. */
export async function setKernelDefaults(namespace: string, forwards: boolean): Promise<void> {
  const settings: [string, number][] = [
    // systemd's default for hosts: loose reverse path check.
    ["ipv4/conf/all/rp_filter", 2],
    ["ipv4/conf/default/rp_filter", 2],
    ["ipv4/ip_forward", forwards ? 1 : 0],
    ["ipv6/conf/all/forwarding", forwards ? 1 : 0],
    // Addresses are unique by construction; waiting a second for each to be checked is of no use.
    ["ipv6/conf/all/accept_dad", 0],
    ["ipv6/conf/default/accept_dad", 0],
    ["ipv6/conf/default/accept_ra", 0],
  ];
  const script = settings.map(([path, value]) => `echo ${value} > /proc/sys/net/${path}`);
  await run(["ip", "netns", "exec", namespace, "sh", "-ec", script.join("\n")]);
}

/** Makes everything; returns the plans of the hosts in the order of the wishes. */
export async function wire(
  context: LabContext,
  segments: readonly SegmentName[],
  wishes: readonly HostWish[],
): Promise<HostPlan[]> {
  const switchNamespace = namespaceOf(context, SWITCH_NAME);
  const hostNamespaces = wishes.map((wish) => namespaceOf(context, wish.name));
  await addNamespaces(context, [switchNamespace, ...hostNamespaces]);
  await Promise.all([
    setKernelDefaults(switchNamespace, false),
    ...wishes.map((wish) => setKernelDefaults(namespaceOf(context, wish.name), wish.forwards)),
  ]);
  await runIp(segments.flatMap(bridgeLines), switchNamespace);
  const plans = wishes.map((wish): HostPlan => planOf(context, wish));
  await runIp(plans.flatMap(cableLines));
  await Promise.all([
    runIp(plans.flatMap(portLines), switchNamespace),
    ...plans.map((plan) => runIp(hostLines(plan), namespaceOf(context, plan.name))),
  ]);
  return plans;
}

function planOf(context: LabContext, wish: HostWish): HostPlan {
  const links = wish.segments.map((segment): [SegmentName, Link] => {
    const ends = {
      switchNamespace: namespaceOf(context, SWITCH_NAME),
      port: `${SEGMENT_PLANS[segment].interfaceName}-${wish.number}`,
      hostNamespace: namespaceOf(context, wish.name),
      interfaceName: SEGMENT_PLANS[segment].interfaceName,
    };
    return [segment, new Link(ends)];
  });
  return { name: wish.name, number: wish.number, links: new Map(links) };
}

/** A plain switch: no spanning tree, no delay before forwarding, no multicast snooping. */
function bridgeLines(segment: SegmentName): string[] {
  const bridge = `br-${segment}`;
  return [
    `link add ${bridge} type bridge stp_state 0 forward_delay 0 mcast_snooping 0`,
    `link set ${bridge} up`,
  ];
}

function cableLines(plan: HostPlan, position: number): string[] {
  return [...plan.links].map(([segment, { ends }], number) => {
    const index = PORT_INDEX_FIRST + position * 10 + number;
    const port = `link add ${ends.port} index ${index} netns ${ends.switchNamespace}`;
    const mac = macOf(segment, plan.number);
    const peer = `name ${ends.interfaceName} address ${mac} netns ${ends.hostNamespace}`;
    return `${port} type veth peer ${peer}`;
  });
}

function portLines(plan: HostPlan): string[] {
  return [...plan.links].map(
    ([segment, { ends }]) => `link set ${ends.port} master br-${segment} up`,
  );
}

function hostLines(plan: HostPlan): string[] {
  const lines = ["link set lo up"];
  for (const segment of plan.links.keys()) {
    const { interfaceName, prefix4, prefix6 } = SEGMENT_PLANS[segment];
    lines.push(`link set ${interfaceName} up`);
    lines.push(`addr add ${prefix4}.${plan.number}/24 dev ${interfaceName}`);
    if (prefix6 === null) continue;
    lines.push(`addr add ${prefix6}:${plan.number}/64 dev ${interfaceName} nodad`);
  }
  return lines;
}

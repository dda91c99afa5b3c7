// The host's interfaces with their addresses, bridges and routes, from ip(8), and the kernel's
// settings for each, from /proc/sys. All of them belong to the network namespace of the caller.

import { readFileSync } from "node:fs";
import { parseIp, prefixOf } from "../core/address.ts";
import { errorText } from "../core/errors.ts";
import {
  type InterfaceFact,
  type InterfaceSysctls,
  type Known,
  known,
  unknown,
} from "../doctor/facts.ts";
import { tool } from "./tool.ts";

interface IpAddress {
  readonly local?: string;
  readonly prefixlen?: number;
}

interface IpLink {
  readonly ifname?: string;
  readonly flags?: readonly string[];
  readonly master?: string;
  readonly addr_info?: readonly IpAddress[];
  readonly linkinfo?: {
    readonly info_kind?: string;
    readonly info_data?: { readonly mcast_snooping?: number; readonly mcast_querier?: number };
  };
}

interface IpRoute {
  readonly dev?: string;
}

export async function gatherInterfaces(
  exclude: readonly string[],
): Promise<Known<readonly InterfaceFact[]>> {
  const [links, routes] = await Promise.all([
    tool(["ip", "-json", "-details", "address", "show"]),
    tool(["ip", "-json", "-4", "route", "show", "default"]),
  ]);
  if (!links.known) return links;
  try {
    const routed = routes.known ? (JSON.parse(routes.value || "[]") as IpRoute[]) : [];
    const excluded = exclude.map((pattern) => new RegExp(pattern));
    const all = JSON.parse(links.value) as IpLink[];
    return known(all.flatMap((link) => factOf(link, { routed, excluded })));
  } catch (thrown) {
    return unknown(`what ip(8) says cannot be read: ${errorText(thrown)}`);
  }
}

function factOf(
  link: IpLink,
  about: { readonly routed: readonly IpRoute[]; readonly excluded: readonly RegExp[] },
): InterfaceFact[] {
  const { ifname: name, flags = [], master, linkinfo } = link;
  if (name === undefined) return [];
  const speaksArp = flags.includes("BROADCAST") && !flags.includes("NOARP");
  const isExcluded = about.excluded.some((pattern) => pattern.test(name));
  const { mcast_snooping: snooping, mcast_querier: querier } = linkinfo?.info_data ?? {};
  const isBridge = linkinfo?.info_kind === "bridge";
  return [
    {
      name,
      isUp: flags.includes("UP"),
      hasCarrier: flags.includes("UP") && flags.includes("LOWER_UP"),
      canAnswer: speaksArp && !flags.includes("LOOPBACK") && master === undefined && !isExcluded,
      addresses: (link.addr_info ?? []).flatMap(addressOf),
      bridge: isBridge ? { snoops: snooping === 1, queries: querier === 1 } : null,
      isDefaultRoute: about.routed.some(({ dev }) => dev === name),
      sysctls: sysctlsOf(name),
    },
  ];
}

function addressOf({ local, prefixlen }: IpAddress): InterfaceFact["addresses"] {
  const ip = parseIp(local ?? "");
  return ip === null || prefixlen === undefined ? [] : [{ ip, prefix: prefixOf(ip, prefixlen) }];
}

/** linux/ip-sysctl: of "all" and the interface, the larger value counts. */
function sysctlsOf(name: string): InterfaceSysctls | null {
  const read = (key: string): number => {
    const values = ["all", name].map((where) =>
      Number(readFileSync(`/proc/sys/net/ipv4/conf/${where}/${key}`, "utf8").trim()),
    );
    return Math.max(...values);
  };
  try {
    return {
      arpIgnore: read("arp_ignore"),
      arpAnnounce: read("arp_announce"),
      rpFilter: read("rp_filter"),
    };
  } catch {
    // Gone this moment.
    return null;
  }
}

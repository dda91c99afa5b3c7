// The kernel's table of IPv4 neighbours, as /proc/net/arp shows it: who was spoken to lately. An
// entry that is not there says nothing.

import { readFileSync } from "node:fs";
import type { Ip } from "../core/address.ts";
import { parseIp } from "../core/address.ts";
import type { Mac } from "../core/mac.ts";
import { parseMac } from "../core/mac.ts";

export interface NeighbourEntry {
  readonly address: Ip;
  readonly mac: Mac;
}

/** Of this host; empty where the table cannot be read. */
export function readNeighbours(path = "/proc/net/arp"): NeighbourEntry[] {
  try {
    return parseNeighbours(readFileSync(path, "utf8"));
  } catch {
    return [];
  }
}

/** proc_net(5): address, hardware type, flags, hardware address, mask, device; a head line. */
export function parseNeighbours(text: string): NeighbourEntry[] {
  return text.split("\n").flatMap((line) => {
    const [first = "", , , fourth = ""] = line.split(/\s+/);
    const address = parseIp(first);
    const mac = parseMac(fourth);
    return address === null || mac === null ? [] : [{ address, mac }];
  });
}

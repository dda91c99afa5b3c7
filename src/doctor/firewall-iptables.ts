// The text of iptables-save, as it is for one packet. Matches that are not known here may match.

import type { Chain, Match, Rule, RuleAction } from "./firewall-walk.ts";
import {
  allOf,
  anyOf,
  isFrom,
  isNamed,
  isTo,
  not,
  type Packet,
  rangeOf,
  yesOrNo,
} from "./packet.ts";

/** Tables that can drop a packet which is for this host. */
const TABLES: ReadonlySet<string> = new Set(["raw", "mangle", "filter"]);
const BASES = { in: ["PREROUTING", "INPUT"], out: ["OUTPUT", "POSTROUTING"] } as const;

export interface ReadTable {
  readonly bases: readonly Chain[];
  readonly chains: ReadonlyMap<string, Chain>;
}

/** The tables that a beacon passes; ARP passes none of them. */
export function readIptables(text: string, packet: Packet): ReadTable[] {
  if (packet.kind === "arp") return [];
  return text
    .split(/^\*/m)
    .slice(1)
    .map((table) => readTable(table, packet))
    .filter((table) => table !== null);
}

function readTable(text: string, packet: Packet): ReadTable | null {
  const [name = "", ...lines] = text.split("\n");
  if (!TABLES.has(name.trim())) return null;
  const chains = new Map<string, { name: string; rules: Rule[]; policy: Chain["policy"] }>();
  for (const line of lines) {
    const declared = /^:(\S+) (\S+)/.exec(line);
    if (declared?.[1] !== undefined) {
      const policy = declared[2] === "DROP" ? "drop" : declared[2] === "ACCEPT" ? "accept" : null;
      const chain = `${name.trim()} ${declared[1]}`;
      chains.set(declared[1], { name: chain, rules: [], policy });
    }
    const appended = /^(?:\[\d+:\d+\] )?-A (\S+) ?(.*)$/.exec(line);
    if (appended?.[1] === undefined) continue;
    chains.get(appended[1])?.rules.push(readRule(appended[2] ?? "", packet));
  }
  const bases = BASES[packet.direction].flatMap((base) => chains.get(base) ?? []);
  return { bases, chains };
}

/** Words, with quoted ones whole. */
function wordsOf(text: string): string[] {
  return [...text.matchAll(/"((?:[^"\\]|\\.)*)"|(\S+)/g)].map(([, quoted, bare]) =>
    quoted === undefined ? (bare ?? "") : quoted,
  );
}

function readRule(text: string, packet: Packet): Rule {
  const words = wordsOf(text);
  const matches: Match[] = [];
  let action: RuleAction = { type: "none" };
  for (let at = 0; at < words.length; at++) {
    const isNegated = words[at] === "!";
    if (isNegated) at += 1;
    const option = words[at] ?? "";
    if (option === "-j" || option === "-g") {
      action = actionOf(words[at + 1] ?? "", option === "-g");
      break;
    }
    const values: string[] = [];
    while (at + 1 < words.length && !/^(-.*|!)$/.test(words[at + 1] ?? "")) {
      at += 1;
      values.push(words[at] ?? "");
    }
    const match = matchOf(option, values[0] ?? "", packet);
    matches.push(isNegated ? not(match) : match);
  }
  return { match: allOf(matches), action, text };
}

function actionOf(target: string, isGoto: boolean): RuleAction {
  if (target === "ACCEPT") return { type: "accept" };
  if (target === "DROP" || target === "REJECT") return { type: "drop" };
  if (target === "RETURN") return { type: "return" };
  // A target that is no chain (LOG, MARK, CT) is not found, and so does nothing.
  return { type: isGoto ? "goto" : "jump", chain: target };
}

function matchOf(option: string, value: string, packet: Packet): Match {
  switch (option) {
    case "-m":
    case "--comment":
      return "yes";
    case "-p":
      return yesOrNo(["udp", "17", "all"].includes(value));
    case "-s":
      return isFrom(packet, rangeOf(value));
    case "-d":
      return isTo(rangeOf(value));
    case "-i":
      return packet.direction === "in" ? yesOrNo(isNamed(value, packet.interface)) : "no";
    case "-o":
      return packet.direction === "out" ? yesOrNo(isNamed(value, packet.interface)) : "no";
    case "--dport":
    case "--sport":
    case "--dports":
    case "--sports":
    case "--ports":
      return anyOf(value.split(",").map((part) => yesOrNo(isInPorts(part, packet.port))));
    // A datagram that nobody answers stays new.
    case "--ctstate":
    case "--state":
      return yesOrNo(value.split(",").includes("NEW"));
    case "--pkt-type":
      return packet.direction === "in" ? yesOrNo(value === "multicast") : "maybe";
    case "--dst-type":
      return yesOrNo(value === "MULTICAST");
    default:
      return "maybe";
  }
}

function isInPorts(part: string, port: number): boolean {
  const [first = "", last = first] = part.split(":");
  return port >= Number(first || 0) && port <= Number(last || 65_535);
}

// The JSON of `nft -j list ruleset` (libnftables-json(5)), as it is for one packet. Expressions
// that are not known here may match.

import type { Chain, Match, Rule, RuleAction } from "./firewall-walk.ts";
import { leftOf, matchesRight, type Sets } from "./nft-match.ts";
import { allOf, type Packet } from "./packet.ts";

export interface ReadTable {
  readonly bases: readonly Chain[];
  readonly chains: ReadonlyMap<string, Chain>;
}

type Fields = Readonly<Record<string, unknown>>;

/** By kind of packet and direction: families and hooks that it passes. */
const HOOKS = {
  beacon: { in: ["prerouting", "input"], out: ["output", "postrouting"] },
  arp: { in: ["input"], out: ["output"] },
} as const;
const FAMILIES = { beacon: ["ip", "inet"], arp: ["arp"] } as const;
/** The chains of iptables-nft, which iptables-save shows in full. */
const IPTABLES_CHAIN = /^(PREROUTING|INPUT|OUTPUT|POSTROUTING|FORWARD)$/;

/** `skipIptables`: what iptables-nft made is left out. */
export function readNft(
  ruleset: unknown,
  packet: Packet,
  { skipIptables }: { readonly skipIptables: boolean },
): ReadTable[] {
  const entries = listOf(fieldsOf(ruleset).nftables).map(fieldsOf);
  const tables = entries.flatMap(({ table }) => (table === undefined ? [] : [fieldsOf(table)]));
  return tables.flatMap((table) => {
    const own = entries.flatMap((entry) => entryOf(entry, table));
    const read = readTable(own, packet);
    const isIptables = own.some(({ kind, value }) => {
      return kind === "chain" && IPTABLES_CHAIN.test(String(value.name)) && "hook" in value;
    });
    return isIptables && skipIptables ? [] : [read];
  });
}

interface Entry {
  readonly kind: string;
  readonly value: Fields;
}

function entryOf(entry: Fields, table: Fields): Entry[] {
  const [kind, raw] = Object.entries(entry)[0] ?? ["", null];
  const value = fieldsOf(raw);
  const isOfTable = value.family === table.family && value.table === table.name;
  return isOfTable ? [{ kind, value }] : [];
}

function readTable(entries: readonly Entry[], packet: Packet): ReadTable {
  const sets: Sets = new Map(
    entries
      .filter(({ kind }) => kind === "set" || kind === "map")
      .map(({ value }) => [String(value.name), listOf(value.elem)]),
  );
  const chains = new Map<string, Chain>();
  const bases: Chain[] = [];
  for (const { kind, value } of entries) {
    if (kind !== "chain") continue;
    const rules = entries
      .filter((other) => other.kind === "rule" && other.value.chain === value.name)
      .flatMap((other) => readRule(other.value, packet, sets));
    const name = `${value.family} ${value.table} ${value.name}`;
    const policy = value.hook === undefined ? null : value.policy === "drop" ? "drop" : "accept";
    const chain: Chain = { name, rules, policy };
    chains.set(String(value.name), chain);
    if (isPassed(value, packet)) bases.push(chain);
  }
  return { bases, chains };
}

function isPassed({ family, hook, type, dev }: Fields, packet: Packet): boolean {
  // Where an interface hands frames over, whatever is in them.
  if (family === "netdev") {
    const passed = packet.direction === "in" ? "ingress" : "egress";
    return hook === passed && listOf(dev).concat(dev).includes(packet.interface);
  }
  const families: readonly string[] = FAMILIES[packet.kind];
  const hooks: readonly string[] = HOOKS[packet.kind][packet.direction];
  return families.includes(String(family)) && hooks.includes(String(hook)) && type !== "nat";
}

/** A verdict map is as many rules as it has elements. */
function readRule({ expr }: Fields, packet: Packet, sets: Sets): Rule[] {
  const statements = listOf(expr).map(fieldsOf);
  const matches: Match[] = [];
  const text = JSON.stringify(statements.filter((one) => !("counter" in one)));
  for (const statement of statements) {
    const [name = "", raw] = Object.entries(statement)[0] ?? [];
    const value = fieldsOf(raw);
    if (name === "match") matches.push(matchOf(value, packet, sets));
    else if (name === "vmap") return verdictMap(value, { packet, sets, before: allOf(matches) });
    else if (DOUBTFUL.has(name)) matches.push("maybe");
    const action = actionOf(name, value);
    if (action !== null) return [{ match: allOf(matches), action, text }];
  }
  return [];
}

/** They let some packets past, or are a match of iptables that nft cannot show. */
const DOUBTFUL: ReadonlySet<string> = new Set(["limit", "quota", "xt", "ct count", "queue"]);

function actionOf(name: string, { target }: Fields): RuleAction | null {
  switch (name) {
    case "accept":
    case "drop":
    case "return":
      return { type: name };
    case "reject":
      return { type: "drop" };
    case "jump":
    case "goto":
      return { type: name, chain: String(target) };
    default:
      return null;
  }
}

function matchOf({ op, left, right }: Fields, packet: Packet, sets: Sets): Match {
  return matchesRight(leftOf(left, packet), String(op), right, sets);
}

function verdictMap(
  { key, data }: Fields,
  about: { readonly packet: Packet; readonly sets: Sets; readonly before: Match },
): Rule[] {
  const { packet, sets, before } = about;
  const elements = typeof data === "string" ? sets.get(data.replace(/^@/, "")) : undefined;
  const pairs = elements ?? listOf(fieldsOf(data).set);
  return pairs.flatMap((pair) => {
    const [element, verdict] = listOf(pair);
    const [name = "", raw] = Object.entries(fieldsOf(verdict))[0] ?? [];
    const action = actionOf(name, fieldsOf(raw));
    if (action === null) return [];
    const match = allOf([before, matchesRight(leftOf(key, packet), "==", element, sets)]);
    return [{ match, action, text: JSON.stringify({ vmap: key, element, verdict }) }];
  });
}

export function fieldsOf(raw: unknown): Fields {
  return typeof raw === "object" && raw !== null && !Array.isArray(raw) ? (raw as Fields) : {};
}

export function listOf(raw: unknown): readonly unknown[] {
  return Array.isArray(raw) ? raw : [];
}

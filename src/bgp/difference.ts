// The commands that bring FRR from one set of lbd's lines to another, in an order in which nothing
// is told to a peer that should not be, and no session is reset that needs not be. Pure.

import type { ConfigLine } from "./lines.ts";
import { setOf, without } from "./lines.ts";
import { BFD_DEFAULTS } from "./render.ts";

const NEIGHBOR = /^(no )?neighbor (\S+) (.*)$/;
const FIRST_OF_SESSION = /^(?:interface )?remote-as /;
/** The value follows the verb, and a new one takes the place of the old. */
const VERBS = [
  "bgp router-id",
  "local-as",
  "timers connect",
  "timers",
  "bfd profile",
  "password",
  "port",
  "ebgp-multihop",
  "update-source",
  "description",
  "set community",
  "set large-community",
  "set local-preference",
  "set tag",
  "match tag",
  ...Object.keys(BFD_DEFAULTS),
];

/** `from`: what FRR has of lbd's; `to`: what it is to have. Empty: nothing is to be done. */
export function difference(from: readonly ConfigLine[], to: readonly ConfigLine[]): string[] {
  const gone = without(from, setOf(to));
  const added = without(to, setOf(from));
  const replaced = new Set(added.map(settingOf));
  const removals = gone.filter((line) => !replaced.has(settingOf(line)));
  const inInstance = (line: ConfigLine): boolean => headerOf(line).startsWith("router bgp ");
  const [routing, policy] = split(removals, inInstance);
  const [sessions, policies] = split(added, inInstance);
  // Routes go before the policy that keeps others in, and come after it.
  return [
    ...commands(removalsIn(routing)),
    ...commands(policies),
    ...commands(inOrder(sessions)),
    ...commands(removalsIn(policy)),
  ];
}

function headerOf({ in: [block], line }: ConfigLine): string {
  return block ?? line;
}

function split<T>(all: readonly T[], is: (one: T) => boolean): [T[], T[]] {
  return [all.filter(is), all.filter((one) => !is(one))];
}

/** Whether both say something of one thing. */
export function isSameSetting(a: ConfigLine, b: ConfigLine): boolean {
  return settingOf(a) === settingOf(b);
}

/** What is set by the line, without the value: of each there is one. */
function settingOf({ in: blocks, line }: ConfigLine): string {
  const plain = line.replace(/^no /, "");
  const neighbor = NEIGHBOR.exec(plain);
  const [subject, rest] = neighbor === null ? ["", plain] : [neighbor[2], neighbor[3] ?? ""];
  return [...blocks, subject, verbOf(rest)].join("\n");
}

function verbOf(text: string): string {
  if (FIRST_OF_SESSION.test(text)) return "remote-as";
  const network = /^(network \S+) route-map /.exec(text);
  if (network !== null) return network[1] ?? "";
  const map = /^route-map \S+ (in|out)$/.exec(text);
  if (map !== null) return `route-map ${map[1]}`;
  return VERBS.find((verb) => text.startsWith(`${verb} `)) ?? text;
}

/** A block that goes takes with it what is in it, and a session all that is said of it. */
function removalsIn(lines: readonly ConfigLine[]): ConfigLine[] {
  const blocks = lines.filter((one) => isBlock(one));
  const isInside = ({ in: outer }: ConfigLine): boolean =>
    blocks.some((block) => [...block.in, block.line].every((line, at) => outer[at] === line));
  const left = lines.filter((one) => !isInside(one) && !isEmptyBlock(one));
  const ended = new Set(
    left.flatMap(({ in: [block = ""], line }) => {
      const [, , name = "", rest = ""] = NEIGHBOR.exec(line) ?? [];
      return FIRST_OF_SESSION.test(rest) ? [`${block}\n${name}`] : [];
    }),
  );
  const kept = left.filter(({ in: [block = ""], line }) => {
    const [, , name = "", rest = ""] = NEIGHBOR.exec(line) ?? [];
    return !ended.has(`${block}\n${name}`) || FIRST_OF_SESSION.test(rest);
  });
  // Instances of VRFs hang on that of the main table.
  const order = (one: ConfigLine): number => (isBlock(one) ? (/ vrf /.test(one.line) ? 1 : 2) : 0);
  return kept.map(removal).sort((a, b) => order(a) - order(b));
}

function isBlock({ in: blocks, line }: ConfigLine): boolean {
  if (blocks.length === 0) return /^(?:no )?(?:router bgp|route-map) /.test(line);
  return blocks[0] === "bfd" && /^(?:no )?profile /.test(line);
}

/** There is no other way to leave it than to leave it empty. */
function isEmptyBlock({ in: blocks, line }: ConfigLine): boolean {
  return (blocks.length === 0 && line === "bfd") || line.startsWith("address-family ");
}

function removal({ in: blocks, line }: ConfigLine): ConfigLine {
  if (line.startsWith("no ")) return { in: blocks, line: line.slice(3) };
  const [, , name = "", rest = ""] = NEIGHBOR.exec(line) ?? [];
  if (FIRST_OF_SESSION.test(rest)) {
    const isInterface = rest.startsWith("interface ");
    return { in: blocks, line: `no neighbor ${name}${isInterface ? " interface" : ""}` };
  }
  const verb = verbOf(line);
  const usual = blocks[0] === "bfd" ? BFD_DEFAULTS[verb] : undefined;
  return { in: blocks, line: usual === undefined ? `no ${line}` : `${verb} ${usual}` };
}

/** What makes a session comes first, what lets it speak last. */
function inOrder(lines: readonly ConfigLine[]): ConfigLine[] {
  const rank = ({ in: blocks, line }: ConfigLine): number => {
    if (blocks.length === 0) return 0;
    const rest = NEIGHBOR.exec(line)?.[3];
    if (blocks.length === 1) return rest === undefined ? 1 : FIRST_OF_SESSION.test(rest) ? 2 : 3;
    return rest === "activate" ? 6 : rest === undefined ? 5 : 4;
  };
  const headers = [...new Set(lines.map(headerOf))];
  return headers.flatMap((header) =>
    lines.filter((one) => headerOf(one) === header).sort((a, b) => rank(a) - rank(b)),
  );
}

/** With the lines that open and close the blocks that they stand in. */
function commands(lines: readonly ConfigLine[]): string[] {
  const said: string[] = [];
  let open: readonly string[] = [];
  const close = (depth: number): void => {
    for (let at = open.length; at > depth; at--) {
      const isFamily = open[at - 1]?.startsWith("address-family ") === true;
      said.push(isFamily ? "exit-address-family" : "exit");
    }
    open = open.slice(0, depth);
  };
  for (const { in: blocks, line } of lines) {
    const common = blocks.findIndex((block, at) => open[at] !== block);
    close(common < 0 ? blocks.length : common);
    for (const block of blocks.slice(open.length)) said.push(block);
    open = blocks;
    said.push(line);
    // It opens the next block by itself.
    if (opensBlock(line, blocks)) open = [...blocks, line];
  }
  close(0);
  return said;
}

function opensBlock(line: string, blocks: readonly string[]): boolean {
  if (blocks.length === 0) return /^(?:router bgp|route-map) |^bfd$/.test(line);
  return blocks[0] === "bfd" && line.startsWith("profile ");
}

// lbctl arp: the last frames of ARP and Neighbor Discovery that the daemon looked at, each with
// what became of it; and those that come.

import { setTimeout as sleep } from "node:timers/promises";
import type { Command } from "commander";
import type { FramesView, FrameView } from "../../api/frames-view.ts";
import type { ItemView, WireView } from "../../api/types.ts";
import type { Context, MakeContext } from "../context.ts";
import { formatTable } from "../table.ts";

const LOOK_EVERY_MS = 500;

const HELP = `
The daemon remembers the last 2,048 usual frames and 1,024 others: the kernel's
filter lets through those about addresses of pools. The outcomes are those of
the counters lbd_arp_frames_received_total and lbd_ndp_frames_received_total.`;

const WHO_HELP = `
Status 0: its owner answers, and nobody else. 1: nobody, somebody else, or two.`;

const PROBE_HELP = `
Status 0: nobody uses it. 1: somebody answers for it, or this node does.`;

interface Options {
  readonly follow?: true;
}

export function addArp(program: Command, context: MakeContext): void {
  const arp = program
    .command("arp")
    .description("Frames of ARP and Neighbor Discovery: what became of them, and who answers");
  arp
    .command("who")
    .description("Ask the segment who answers for an address of a pool")
    .argument("<address>", "an external address")
    .addHelpText("after", WHO_HELP)
    .action((address: string, _options: unknown, command: Command) =>
      ask(address, isOwnersAlone, context(command)),
    );
  arp
    .command("probe")
    .description("Ask the segment whether an address of a pool is in use")
    .argument("<address>", "an address of a pool")
    .addHelpText("after", PROBE_HELP)
    .action((address: string, _options: unknown, command: Command) =>
      ask(address, isUnused, context(command)),
    );
  arp
    .command("watch")
    .description("The last frames that the daemon looked at, oldest first")
    .argument("[text]", "only frames that are about it: an address, a MAC, an outcome")
    .option("-f, --follow", "go on with those that come, until interrupted")
    .addHelpText("after", HELP)
    .action((text: string | undefined, options: Options, command: Command) =>
      watch({ text: text ?? "", isFollowed: options.follow === true }, context(command)),
    );
}

/** Well, exit status 0, as `isWell` says of what was found. */
async function ask(
  address: string,
  isWell: (found: WireView) => boolean,
  { client, show, exitWith }: Context,
): Promise<void> {
  const answer = await client.post("/v1/wire/who", { address });
  show(answer, wireText);
  exitWith(isWell(answer.item) ? 0 : 1);
}

/** The owner answers, and nobody else. */
function isOwnersAlone({ owner, ownedHere, answers }: WireView): boolean {
  if (ownedHere) return answers.length === 0;
  return owner !== null && answers.length === 1 && answers[0]?.node === owner;
}

function isUnused({ ownedHere, answers }: WireView): boolean {
  return !ownedHere && answers.length === 0;
}

export function wireText({ item }: ItemView<WireView>): string {
  const { address, interface: name, owner, ownedHere, answers } = item;
  const named = answers.map(({ mac, node }) => `${mac} (${node ?? "no node of the cluster"})`);
  const heard = named.length === 0 ? "nobody" : named.join(" and ");
  const here = ownedHere ? "; this node answers for it, which it does not hear itself" : "";
  const others = ownedHere && named.length === 0 ? "nobody else" : heard;
  const lines = [
    `${address} on ${name}: ${others} answers${here}`,
    `owner by its Lease: ${owner ?? "nobody"}`,
  ];
  return `${lines.join("\n")}\n`;
}

async function watch(
  { text, isFollowed }: { readonly text: string; readonly isFollowed: boolean },
  { client, show }: Context,
): Promise<void> {
  let known = new Set<string>();
  for (let isFirst = true; ; isFirst = false) {
    const { schema, item } = await client.get("/v1/frames");
    const fresh = item.frames.filter((frame) => !known.has(keyOf(frame)));
    known = new Set(item.frames.map(keyOf));
    const frames = fresh.filter((frame) => isAbout(frame, text));
    const table = isFirst ? framesText : rowsText;
    if (frames.length > 0 || !isFollowed) show({ schema, item: { ...item, frames } }, table);
    if (!isFollowed) return;
    await sleep(LOOK_EVERY_MS);
  }
}

function keyOf({ at, interface: name, bytes }: FrameView): string {
  return `${at} ${name} ${bytes}`;
}

function isAbout({ interface: name, outcome, text: said }: FrameView, text: string): boolean {
  return text === "" || [name, outcome].includes(text) || said.split(/[ ,?()]+/).includes(text);
}

/** Those that follow others have no head of their own. */
function rowsText(view: ItemView<FramesView>): string {
  return framesText(view).split("\n").slice(1).join("\n");
}

function framesText({ item }: ItemView<FramesView>): string {
  return formatTable(item.frames, [
    { title: "AT", value: (frame) => frame.at },
    { title: "INTERFACE", value: (frame) => frame.interface },
    { title: "OUTCOME", value: (frame) => frame.outcome },
    { title: "FRAME", value: (frame) => frame.text },
  ]);
}

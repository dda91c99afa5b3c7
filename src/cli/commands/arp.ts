// lbctl arp: the last frames of ARP and Neighbor Discovery that the daemon looked at, each with
// what became of it; and those that come.

import { setTimeout as sleep } from "node:timers/promises";
import type { Command } from "commander";
import type { FramesView, FrameView } from "../../api/frames-view.ts";
import type { ItemView } from "../../api/types.ts";
import type { Context, MakeContext } from "../context.ts";
import { formatTable } from "../table.ts";

const LOOK_EVERY_MS = 500;

const HELP = `
The daemon remembers the last 2,048 usual frames and 1,024 others: the kernel's
filter lets through those about addresses of pools. The outcomes are those of
the counters lbd_arp_frames_received_total and lbd_ndp_frames_received_total.`;

interface Options {
  readonly follow?: true;
}

export function addArp(program: Command, context: MakeContext): void {
  program
    .command("arp")
    .description("Frames of ARP and Neighbor Discovery, and what became of them")
    .command("watch")
    .description("The last frames that the daemon looked at, oldest first")
    .argument("[text]", "only frames that are about it: an address, a MAC, an outcome")
    .option("-f, --follow", "go on with those that come, until interrupted")
    .addHelpText("after", HELP)
    .action((text: string | undefined, options: Options, command: Command) =>
      watch({ text: text ?? "", isFollowed: options.follow === true }, context(command)),
    );
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

// lbctl bugreport: one archive with what somebody who is to find a fault has to know.

import { resolve } from "node:path";
import type { Command } from "commander";
import { wallClock } from "../clock.ts";
import type { Context, MakeContext } from "../context.ts";
import { doctorText } from "../doctor-text.ts";
import { formatTable } from "../table.ts";
import { wrapped } from "../wrap.ts";
import { socketOf } from "./doctor.ts";

const HELP = `
In the archive: the node file and the kubeconfig without secrets, what the
daemon says (status, addresses, history, explanations of what is wrong, its
last frames and decisions, metrics), the journal of the last hour, what lbctl
doctor finds, and the host's network settings. Without a daemon, what its state
file has. Tokens, keys and passwords are taken out, and MANIFEST says how many;
look through it before you send it. As root, since most of it is for root to
see. The file is for its owner alone to read.`;

interface Options {
  readonly config: string;
  readonly file?: string;
}

/** What is in the archive, as the command says it. */
export interface BugreportView {
  readonly file: string;
  readonly files: number;
  readonly missing: readonly { readonly name: string; readonly why: string }[];
  /** How many secrets were taken out, by what they were. */
  readonly redacted: Readonly<Record<string, number>>;
}

export function addBugreport(program: Command, context: MakeContext): void {
  program
    .command("bugreport")
    .description("One archive of what there is to know of a fault, without secrets")
    .option("--config <file>", "the node file", "/etc/lbd/config.yaml")
    .option("-f, --file <file>", "the archive; default: a name with host and time, here")
    .addHelpText("after", HELP)
    .action((options: Options, command: Command) =>
      bugreport({ ...options, socket: socketOf(command) }, context(command)),
    );
}

async function bugreport(
  options: Options & { readonly socket: string | null },
  { show }: Context,
): Promise<void> {
  const { config, socket } = options;
  const [{ collect }, { reportName, writeReport }] = await Promise.all([
    import("../../bugreport/collect.ts"),
    import("../../bugreport/write.ts"),
  ]);
  const now = wallClock();
  const file = resolve(options.file ?? `${reportName(now)}.tar.gz`);
  const parts = await collect({
    ...{ config, socket, now },
    doctorText: (report) => doctorText({ item: report }, { wide: true }),
  });
  writeReport(file, parts, now);
  const { missing } = parts;
  const redacted = Object.fromEntries(parts.redacted);
  // MANIFEST is one more.
  const item: BugreportView = { file, files: parts.files.length + 1, missing, redacted };
  show({ schema: "lbd/v1", item }, bugreportText);
}

export function bugreportText({ item }: { readonly item: BugreportView }): string {
  const taken = Object.entries(item.redacted).map(([name, count]) => `${count} x ${name}`);
  const lines = [
    `written   ${item.file}`,
    `files     ${item.files}`,
    `redacted  ${taken.length === 0 ? "nothing was found" : taken.join(", ")}`,
    ...wrapped("Look through it before you send it: names and addresses are in it.", ""),
  ];
  if (item.missing.length === 0) return `${lines.join("\n")}\n`;
  const table = formatTable(item.missing, [
    { title: "MISSING", value: ({ name }) => name },
    { title: "WHY", value: ({ why }) => why.split("\n")[0]?.slice(0, 120) ?? "" },
  ]);
  return `${lines.join("\n")}\n\n${table}`;
}

// lbctl drain: hands over what this node has, and waits until that is done.

import type { Command } from "commander";
import type { DrainView, ItemView } from "../../api/types.ts";
import { AppError } from "../../core/errors.ts";
import type { MakeContext } from "../context.ts";
import { lookUntil, millisecondsOf } from "../until.ts";

interface Options {
  readonly force?: boolean;
  readonly timeout: string;
}

export function addDrain(program: Command, context: MakeContext): void {
  program
    .command("drain")
    .description("Hand over all addresses of this node, take none, and wait until that is done")
    .option("--force", "let go even of what no other node takes: nobody answers for it then")
    .option("--timeout <seconds>", "how long to wait", "30")
    .action(async ({ force = false, timeout }: Options, command: Command) => {
      const { client, show, exitWith } = context(command);
      const timeoutMs = millisecondsOf(timeout);
      if (timeoutMs === null) {
        throw new AppError("USAGE", `Cannot use --timeout "${timeout}": expected seconds`);
      }
      await client.post("/v1/drain", { force });
      const isDone = ({ item }: ItemView<DrainView>): boolean => item.remaining.length === 0;
      const answer = await lookUntil(() => client.get("/v1/drain"), isDone, timeoutMs);
      show(answer, drainText);
      // Somebody may have ended it meanwhile.
      exitWith(isDone(answer) && answer.item.draining ? 0 : 1);
    });
}

/** What is still here comes with what keeps it, and what to do about it. */
export function drainText({ item }: ItemView<DrainView>): string {
  const { node, draining, cause, force, remaining } = item;
  if (!draining) return `${node} is not drained: it may own addresses\n`;
  const because = cause === "cordoned" ? ", as its Node is cordoned" : "";
  const end = cause === "cordoned" ? `kubectl uncordon ${node}` : "lbctl undrain";
  const untilWhen = `It stays drained, over restarts too, until "${end}".`;
  if (remaining.length === 0) {
    return `${node} is drained${because}: it has no address left. ${untilWhen}\n`;
  }
  const lines = [`${node} is being drained${because}; still answered here:`];
  for (const { address, reason } of remaining) lines.push(`  ${address}: ${reason}`);
  lines.push(
    force
      ? "They go as soon as every node that could take them was asked."
      : 'They stay until another node takes them; "lbctl drain --force" lets go of them.',
    untilWhen,
  );
  return `${lines.join("\n")}\n`;
}

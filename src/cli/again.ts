// Shows an answer again and again (--watch): a terminal is cleared in between, other readers get
// one answer after the other. A daemon that does not answer meanwhile is said to, and asked again.

import { setTimeout as sleep } from "node:timers/promises";
import type { Command } from "commander";
import { isAway } from "./away.ts";
import { clearing } from "./terminal.ts";

const EVERY_MS = 1_000;

export interface WatchOption {
  readonly watch?: true;
}

export function withWatch(command: Command): Command {
  return command.option("-w, --watch", "show it again every second, until interrupted");
}

export async function shown(
  show: () => Promise<void>,
  { watch }: WatchOption,
  everyMs = EVERY_MS,
): Promise<void> {
  if (watch !== true) return show();
  for (;;) {
    process.stdout.write(clearing());
    try {
      await show();
    } catch (thrown) {
      if (!isAway(thrown)) throw thrown;
      process.stderr.write(`lbctl: ${thrown.message}\n`);
    }
    await sleep(everyMs);
  }
}

// What the terminal is like: how wide, and whether it shows colours (not when NO_COLOR is set, or
// the output goes elsewhere).

import { styleText } from "node:util";
import type { Health } from "../api/types.ts";

/** What every terminal has; longer lines are hard to read. */
const COLUMNS_MAX = 80;
/** Narrower ones break the lines themselves. */
const COLUMNS_MIN = 20;

export function columns(): number {
  const { columns: width = COLUMNS_MAX } = process.stdout as { columns?: number };
  return Math.min(COLUMNS_MAX, Math.max(COLUMNS_MIN, width));
}

const CLEAR = "\u001b[H\u001b[2J\u001b[3J";

/** What empties a terminal; nothing where the output goes elsewhere. */
export function clearing(): string {
  return process.stdout.isTTY ? CLEAR : "";
}

const COLOR_OF: Readonly<Record<Health, "green" | "yellow" | "red">> = {
  ok: "green",
  degraded: "yellow",
  failing: "red",
};

export function healthColored(text: string, health: Health): string {
  return styleText(COLOR_OF[health], text, { stream: process.stdout });
}

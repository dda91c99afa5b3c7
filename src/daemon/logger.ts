// JSON logs on standard output, for the journal. State changes are info, packets debug.

import { pino } from "pino";
import type { LOG_EVENTS } from "./log-events.ts";

export type LogEvent = keyof typeof LOG_EVENTS;

type Say = (about: { readonly event: LogEvent } & Record<string, unknown>, text: string) => void;

export type Logger = Readonly<Record<"info" | "warn" | "error", Say>>;

export function createLogger(level: string, bindings: Readonly<Record<string, string>>): Logger {
  return pino({ level, base: bindings, timestamp: pino.stdTimeFunctions.isoTime });
}

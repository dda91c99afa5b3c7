// JSON logs on standard output, for the journal. State changes are info, packets debug.

import type { Logger } from "pino";
import { pino } from "pino";

export type { Logger };

export function createLogger(level: string, bindings: Readonly<Record<string, string>>): Logger {
  return pino({ level, base: bindings, timestamp: pino.stdTimeFunctions.isoTime });
}

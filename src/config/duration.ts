// Durations as Kubernetes resources write them (metav1.Duration): "90s", "1m30s", "1.5h".

import type { DurationMs } from "../core/time.ts";
import { durationMs } from "../core/time.ts";

const UNIT_MS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  // The micro sign and the Greek letter, both of which Go takes.
  "\u00b5s": 1e-3,
  "\u03bcs": 1e-3,
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
};
const NUMBER = String.raw`(?:\d+(?:\.\d*)?|\.\d+)`;
const PART = new RegExp(`(${NUMBER})(ns|us|\u00b5s|\u03bcs|ms|s|m|h)`, "g");
const WHOLE = new RegExp(`^(?:${NUMBER}(?:ns|us|\u00b5s|\u03bcs|ms|s|m|h))+$`);

/** The time that a text of Go's `time.ParseDuration` stands for, or null; never negative. */
export function parseDuration(text: string): DurationMs | null {
  if (text === "0") return durationMs(0);
  if (!WHOLE.test(text)) return null;
  let sum = 0;
  for (const [, count, unit = ""] of text.matchAll(PART))
    sum += Number(count) * (UNIT_MS[unit] ?? 0);
  // To the nanosecond, which is what the parts can say: 4121.676 s are whole milliseconds.
  return durationMs(Math.round(sum * 1e6) / 1e6);
}

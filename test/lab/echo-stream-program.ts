// Runs on the client: one TCP connection to `/echo` of a backend, over which a line is sent every
// 10 ms and comes back, and the longest time in which nothing came.

import { type ClientRequest, request } from "node:http";
import { bootTimeMs, setRealtimePriority } from "../../native/index.ts";
import { serve } from "./lab-program.ts";

export type StreamQuestion =
  /** Answered when the first line has come back. */
  | { readonly kind: "open"; readonly address: string; readonly port: number }
  /** What there is to say of the time since the last answer. */
  | { readonly kind: "report" };

export interface StreamReport {
  /** The longest time without a byte, in ms; up to now, when the last one came long ago. */
  readonly gapMs: number;
  readonly lines: number;
  /** Why it has ended, or null: it goes on. */
  readonly ended: string | null;
}

const EVERY_MS = 10;
/** Below lbd's own: a busy machine must not look like a gap. */
const REALTIME_PRIORITY = 1;

let lines = 0;
let gapMs = 0;
let last = 0;
let ended: string | null = null;

const refused = setRealtimePriority(REALTIME_PRIORITY);
if (refused !== null) throw new Error(`The stream got no real-time priority: ${refused}`);

function open(address: string, port: number): Promise<void> {
  const stream = request({ host: address, port, path: "/echo", method: "POST", agent: false });
  stream.setNoDelay(true);
  stream.flushHeaders();
  stream.on("error", (error) => end(error.message));
  stream.on("close", () => end("closed"));
  sendLines(stream);
  return new Promise((resolve, reject) => {
    stream.on("error", reject);
    stream.on("response", (response) => {
      response.on("error", (error) => end(error.message));
      response.on("data", (bytes: Buffer) => {
        hear(bytes);
        resolve();
      });
    });
  });
}

function sendLines(stream: ClientRequest): void {
  let number = 0;
  const timer = setInterval(() => stream.write(`${number++}\n`), EVERY_MS);
  stream.on("close", () => clearInterval(timer));
}

function hear(bytes: Buffer): void {
  const now = bootTimeMs();
  if (last > 0) gapMs = Math.max(gapMs, now - last);
  last = now;
  lines += bytes.toString().split("\n").length - 1;
}

function end(why: string): void {
  ended ??= why;
}

function report(): StreamReport {
  const now = bootTimeMs();
  const told = { gapMs: Math.max(gapMs, now - last), lines, ended };
  [gapMs, lines, last] = [0, 0, now];
  return told;
}

serve(async (question: StreamQuestion): Promise<StreamReport> => {
  if (question.kind === "open") await open(question.address, question.port);
  return report();
});

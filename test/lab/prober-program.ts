// Runs on the client: asks for an address every millisecond, by ARP ("cold") or with a datagram
// through it ("warm", see udp-probe.ts), and records who answers when.
// "begin" is answered with the owner's MAC once one host answers steadily, "end" with all that was
// recorded since. With a real-time priority: a busy machine must not look like a blackout.

import { bootTimeMs, setRealtimePriority } from "../../native/index.ts";
import { openArpProbe } from "./arp-probe.ts";
import type { Answer, Recording } from "./blackout.ts";
import { serve } from "./lab-program.ts";
import { openUdpProbe } from "./udp-probe.ts";

export type ProberQuestion =
  | { readonly kind: "begin"; readonly address: string; readonly timeoutMs: number }
  | {
      readonly kind: "end";
      /** Boot clock; not before. */
      readonly at: number;
      /** Not while this MAC answers, or null. */
      readonly unless: string | null;
      readonly timeoutMs: number;
    };

/** After "begin" the owner's MAC, or null: nobody answered steadily in time. */
export type ProberAnswer = string | Recording | null;

const EVERY_MS = 1;
/** One host has answered for so long, with no gap longer than that. */
const STEADY_MS = 1_000;
const GAP_MS_MAX = 50;
/** How long after a request its answer may come, without a fault. */
const LINGER_MS = 100;
/** Below lbd's own. */
const REALTIME_PRIORITY = 1;

let asked: string | null = null;
let isAsking = false;
let sent: number[] = [];
let answers: Answer[] = [];
/** Since when one host has answered steadily, and which. */
let steady = { since: Number.POSITIVE_INFINITY, mac: "", until: 0 };

const [client, ...argv] = process.argv.slice(2);
const openProbe = client === "warm" ? openUdpProbe : openArpProbe;
const probe = openProbe(argv, ({ address, ...answer }) => {
  if (address !== asked) return;
  answers.push(answer);
  const { at, mac } = answer;
  const goesOn = mac === steady.mac && at - steady.until <= GAP_MS_MAX;
  steady = { since: goesOn ? steady.since : at, mac, until: at };
});
const refused = setRealtimePriority(REALTIME_PRIORITY);
if (refused !== null) throw new Error(`The prober got no real-time priority: ${refused}`);
setInterval(sendRequest, EVERY_MS);

function sendRequest(): void {
  if (asked === null || !isAsking) return;
  const sentAt = bootTimeMs();
  sent.push(sentAt);
  probe.request(asked, sentAt);
}

function isSteady(now: number): boolean {
  return now - steady.until <= GAP_MS_MAX && now - steady.since >= STEADY_MS;
}

/** False: not in time. */
async function until(timeoutMs: number, isDone: (now: number) => boolean): Promise<boolean> {
  const deadline = bootTimeMs() + timeoutMs;
  while (!isDone(bootTimeMs())) {
    if (bootTimeMs() > deadline) return false;
    await sleep(EVERY_MS);
  }
  return true;
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

async function begin(address: string, timeoutMs: number): Promise<string | null> {
  asked = address;
  isAsking = true;
  if (!(await until(timeoutMs, isSteady))) return null;
  // Requests and answers are counted from a moment when none is under way.
  await pause();
  sent = [];
  answers = [];
  isAsking = true;
  await sleep(LINGER_MS);
  return steady.mac;
}

async function end(at: number, unless: string | null, timeoutMs: number): Promise<Recording> {
  const isDone = (now: number) => now >= at && isSteady(now) && steady.mac !== unless;
  await until(timeoutMs, isDone);
  await pause();
  asked = null;
  return { sent, answers };
}

/** Ends asking; what is under way still counts. */
async function pause(): Promise<void> {
  isAsking = false;
  await sleep(LINGER_MS);
}

serve(
  (question: ProberQuestion): Promise<ProberAnswer> =>
    question.kind === "begin"
      ? begin(question.address, question.timeoutMs)
      : end(question.at, question.unless, question.timeoutMs),
);

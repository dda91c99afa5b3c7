// Runs on the client: asks for many addresses by ARP, in turns, until each was answered once.

import { setTimeout as sleep } from "node:timers/promises";
import { bootTimeMs } from "../../native/index.ts";
import { openArpProbe } from "../lab/arp-probe.ts";
import { serve } from "../lab/lab-program.ts";

export interface AskAll {
  readonly addresses: readonly string[];
  readonly timeoutMs: number;
}

/** By the order of the addresses: boot clock at the first answer; null: none in time. */
export type AllAnswered = readonly (number | null)[];

/**
 * So many requests in one go, at most 20,000 a second, while some of them are answered; while none
 * is, 2,000: more would be what is measured, as every node hears all of them.
 */
const BATCH = 100;
const EVERY_MS = 5;
const IN_VAIN_EVERY_MS = 50;

let waiting = new Map<string, (at: number) => void>();
const probe = openArpProbe(process.argv.slice(2), ({ address, at }) => {
  waiting.get(address)?.(at);
  waiting.delete(address);
});

serve(async ({ addresses, timeoutMs }: AskAll): Promise<AllAnswered> => {
  const answers = new Map<string, number>();
  waiting = new Map(addresses.map((ip) => [ip, (at) => void answers.set(ip, at)]));
  const deadline = bootTimeMs() + timeoutMs;
  let turn: string[] = [];
  while (waiting.size > 0 && bootTimeMs() < deadline) {
    if (turn.length === 0) turn = [...waiting.keys()];
    const batch = turn.splice(0, BATCH).filter((address) => waiting.has(address));
    for (const address of batch) probe.request(address);
    await sleep(EVERY_MS);
    if (batch.every((address) => waiting.has(address))) await sleep(IN_VAIN_EVERY_MS - EVERY_MS);
  }
  return addresses.map((address) => answers.get(address) ?? null);
});

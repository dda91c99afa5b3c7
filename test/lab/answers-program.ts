// Runs on the client: asks for addresses again and again, as one with a cold cache, and notes who
// answers and how long nobody does.

import { bootTimeMs } from "../../native/index.ts";
import { openArpProbe } from "./arp-probe.ts";
import { serve } from "./lab-program.ts";

export type AnswersQuestion =
  /** From now on ask for these. */
  | { readonly kind: "begin"; readonly addresses: readonly string[] }
  /** All since then; it goes on. */
  | { readonly kind: "report" };

/** By address. */
export type Answers = Readonly<Record<string, Answered>>;

export interface Answered {
  /** Of all that answered, sorted. */
  readonly macs: readonly string[];
  /** The longest time without an answer. */
  readonly gapMs: number;
}

const ASK_EVERY_MS = 20;
const heard = new Map<string, { readonly macs: Set<string>; lastAt: number; gapMs: number }>();

const probe = openArpProbe(process.argv.slice(2), ({ address, mac, at }) => {
  const known = heard.get(address);
  if (known === undefined) return;
  known.macs.add(mac);
  known.gapMs = Math.max(known.gapMs, at - known.lastAt);
  known.lastAt = at;
});

setInterval(() => {
  for (const address of heard.keys()) probe.request(address);
}, ASK_EVERY_MS);

serve(async (question: AnswersQuestion): Promise<Answers> => {
  const now = bootTimeMs();
  if (question.kind === "begin") {
    heard.clear();
    for (const address of question.addresses) {
      heard.set(address, { macs: new Set(), lastAt: now, gapMs: 0 });
    }
  }
  return Object.fromEntries(
    [...heard].map(([address, { macs, gapMs, lastAt }]) => {
      return [address, { macs: [...macs].sort(), gapMs: Math.max(gapMs, now - lastAt) }];
    }),
  );
});

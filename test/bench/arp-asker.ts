// Runs on the client: asks for an address by ARP every millisecond, as a neighbour would that waits
// for it, until somebody answers.

import { openArpProbe } from "../lab/arp-probe.ts";
import { serve } from "../lab/lab-program.ts";

export interface Ask {
  readonly address: string;
  readonly timeoutMs: number;
}

/** Boot clock at the answer, or null: nobody answered in time. */
export type Answered = number | null;

const EVERY_MS = 1;

let asked: { readonly address: string; readonly resolve: (at: Answered) => void } | null = null;
const probe = openArpProbe(process.argv.slice(2), ({ address, at }) => {
  if (address === asked?.address) asked.resolve(at);
});

serve(async ({ address, timeoutMs }: Ask): Promise<Answered> => {
  const timer = setInterval(() => probe.request(address), EVERY_MS);
  const answered = await new Promise<Answered>((resolve) => {
    const timeout = setTimeout(() => resolve(null), timeoutMs);
    asked = {
      address,
      resolve: (at) => {
        clearTimeout(timeout);
        resolve(at);
      },
    };
  });
  clearInterval(timer);
  asked = null;
  return answered;
});

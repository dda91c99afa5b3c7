// Questions to a segment, "who has this address?", and the answers to each: asked once more when
// nobody has answered, and over some time later. Pure: the caller sends and receives.

import type { Ip } from "../core/address.ts";
import type { Mac } from "../core/mac.ts";
import type { BootMs } from "../core/time.ts";
import { after, earliest, NEVER } from "../core/time.ts";

/** How long to wait for answers, in milliseconds. */
export interface AskTimes {
  /** Without an answer by then it is asked again: a frame may get lost. */
  readonly againMs: number;
  readonly forMs: number;
}

export const ASK_TIMES: AskTimes = { againMs: 250, forMs: 500 };

export interface Asked {
  readonly address: Ip;
  readonly interface: string;
  /** Whoever answered, each once. */
  readonly macs: readonly Mac[];
}

interface Asking {
  readonly address: Ip;
  readonly interface: string;
  readonly macs: Set<Mac>;
  againAt: BootMs;
  readonly endsAt: BootMs;
}

export class Asks {
  readonly #asking = new Map<string, Asking>();

  /** The caller sends the first request. */
  begin(address: Ip, interfaceName: string, now: BootMs, asking: AskTimes = ASK_TIMES): void {
    const times = { againAt: after(now, asking.againMs), endsAt: after(now, asking.forMs) };
    const about = { address, interface: interfaceName, macs: new Set<Mac>() };
    this.#asking.set(keyOf(address, interfaceName), { ...about, ...times });
  }

  answered(address: Ip, interfaceName: string, mac: Mac): void {
    this.#asking.get(keyOf(address, interfaceName))?.macs.add(mac);
  }

  /** `again`: what is to be asked once more; `over`: what is known now. */
  take(now: BootMs): { again: Pick<Asked, "address" | "interface">[]; over: Asked[] } {
    const again: Pick<Asked, "address" | "interface">[] = [];
    const over: Asked[] = [];
    for (const [key, asking] of this.#asking) {
      const { address, interface: name, macs } = asking;
      if (now >= asking.endsAt) {
        this.#asking.delete(key);
        over.push({ address, interface: name, macs: [...macs] });
      } else if (now >= asking.againAt) {
        asking.againAt = NEVER;
        if (macs.size === 0) again.push({ address, interface: name });
      }
    }
    return { again, over };
  }

  nextDeadline(): BootMs {
    let next = NEVER;
    for (const { againAt, endsAt } of this.#asking.values()) next = earliest(next, againAt, endsAt);
    return next;
  }
}

function keyOf(address: Ip, interfaceName: string): string {
  return `${interfaceName} ${address}`;
}

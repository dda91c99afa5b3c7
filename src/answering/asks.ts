// Questions to a segment, "who has this address?", and the answers to each: asked once more when
// nobody has answered, and over some time later. When still nobody has, the host that should is
// asked alone: frames to everybody may not reach it. Pure: the caller sends and receives.

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
/** How long to wait for the answer of a host that is asked alone, in milliseconds. */
const ALONE_MS = 250;

export interface Asked {
  readonly address: Ip;
  readonly interface: string;
  /** Whoever answered, each once. */
  readonly macs: readonly Mac[];
  /** Nobody did, but the host that should when it was asked alone. */
  readonly isDeaf: boolean;
}

interface Asking {
  readonly address: Ip;
  readonly interface: string;
  readonly macs: Set<Mac>;
  /** Whose answer is expected; null: anybody's. */
  readonly owner: Mac | null;
  againAt: BootMs;
  endsAt: BootMs;
  isAskedAlone: boolean;
  isDeaf: boolean;
}

interface Question {
  readonly address: Ip;
  readonly interface: string;
}

export class Asks {
  readonly #asking = new Map<string, Asking>();

  /** The caller sends the first request. `owner`: who is asked alone when nobody answers. */
  begin(
    { address, interface: name }: Question,
    now: BootMs,
    options: { readonly times?: AskTimes; readonly owner?: Mac | null } = {},
  ): void {
    const { times = ASK_TIMES, owner = null } = options;
    this.#asking.set(keyOf(address, name), {
      ...{ address, interface: name, macs: new Set<Mac>(), owner },
      againAt: after(now, times.againMs),
      endsAt: after(now, times.forMs),
      ...{ isAskedAlone: false, isDeaf: false },
    });
  }

  answered(address: Ip, interfaceName: string, mac: Mac): void {
    const asking = this.#asking.get(keyOf(address, interfaceName));
    if (asking === undefined) return;
    if (asking.isAskedAlone) asking.isDeaf ||= mac === asking.owner;
    else asking.macs.add(mac);
  }

  /** What is to be asked once more, of everybody and of one host; `over`: what is known now. */
  take(now: BootMs): { again: Question[]; alone: (Question & { to: Mac })[]; over: Asked[] } {
    const again: Question[] = [];
    const alone: (Question & { to: Mac })[] = [];
    const over: Asked[] = [];
    for (const [key, asking] of this.#asking) {
      const { address, interface: name, macs, owner } = asking;
      if (now >= asking.endsAt) {
        if (macs.size === 0 && owner !== null && !asking.isAskedAlone) {
          asking.isAskedAlone = true;
          asking.endsAt = after(now, ALONE_MS);
          alone.push({ address, interface: name, to: owner });
          continue;
        }
        this.#asking.delete(key);
        over.push({ address, interface: name, macs: [...macs], isDeaf: asking.isDeaf });
      } else if (now >= asking.againAt) {
        asking.againAt = NEVER;
        if (macs.size === 0) again.push({ address, interface: name });
      }
    }
    return { again, alone, over };
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

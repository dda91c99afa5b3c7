// Asks on the wire, now and then, who answers for the VIPs of others, and does what follows: tells
// people, tells the owner, and, when it stays silent, the ownership machine.

import type { Asked } from "../answering/asks.ts";
import type { PeerEvent } from "../core/peer.ts";
import type { Clock } from "../core/time.ts";
import type { Ownership } from "../ownership/machine.ts";
import type { OwnershipEvent } from "../ownership/types.ts";
import type { WireFinding, WireTruthEffect } from "../ownership/wire-truth.ts";
import { WireTruth } from "../ownership/wire-truth.ts";
import type { ToResponder } from "./responder-messages.ts";
import type { Task } from "./tasks.ts";
import { aborted } from "./tasks.ts";

export interface WireTruthTaskOptions {
  readonly clock: Clock;
  readonly machine: () => Pick<Ownership, "views">;
  readonly tellResponder: (message: ToResponder) => void;
  readonly tellOwnership: (event: OwnershipEvent) => void;
  /** The history, the log, and an Event on the Services. */
  readonly onChanged: (finding: WireFinding) => void;
}

/** With nothing to ask for it looks again after this. */
const IDLE_MS = 1_000;

export class WireTruthTask implements Task {
  readonly name = "wire-truth";
  readonly #options: WireTruthTaskOptions;
  readonly #truth = new WireTruth();
  #timer: NodeJS.Timeout | undefined;

  constructor(options: WireTruthTaskOptions) {
    this.#options = options;
  }

  findings(): WireFinding[] {
    return this.#truth.findings();
  }

  counters(): Record<string, number> {
    const counts = Object.entries(this.#truth.counts);
    return Object.fromEntries(counts.map(([verdict, count]) => [`wire-${verdict}`, count]));
  }

  async run(signal: AbortSignal): Promise<void> {
    this.#next();
    await aborted(signal);
    clearTimeout(this.#timer);
  }

  onAsked(asked: Asked): void {
    const { clock, machine } = this.#options;
    const now = clock.boot();
    const watched = machine().views.watched(asked.address, now);
    this.#perform(this.#truth.asked(watched, asked, now));
  }

  onComplaint({ entries }: Extract<PeerEvent, { type: "peer-complaint" }>): void {
    this.#truth.complained(entries, this.#options.clock.boot());
  }

  #next(): void {
    const { clock, machine } = this.#options;
    const now = clock.boot();
    const watching = machine().views.watching(now);
    this.#perform(this.#truth.takeAsk(watching, now));
    const wait = watching.addresses.size === 0 ? IDLE_MS : this.#truth.due - now;
    this.#timer = setTimeout(() => this.#next(), Math.max(1, Math.ceil(wait)));
  }

  #perform(effects: readonly WireTruthEffect[]): void {
    const { tellResponder, tellOwnership, onChanged } = this.#options;
    for (const effect of effects) {
      switch (effect.type) {
        case "ask":
          tellResponder(effect);
          break;
        case "complain": {
          const { entry, interface: name } = effect;
          tellResponder({ type: "complain", entries: [entry], interface: name });
          break;
        }
        case "changed":
          onChanged(effect.finding);
          break;
        case "owner-mute":
          tellOwnership(effect);
          break;
      }
    }
  }
}

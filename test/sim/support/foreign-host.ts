// A host on a segment that knows nothing of lbd, and uses a VIP for a while: it answers who asks
// for it, and announces it, as somebody's printer does that has a fixed address.

import type { Ip } from "../../../src/core/address.ts";
import type { EventQueue } from "./event-queue.ts";
import { macOfPort } from "./lan.ts";
import type { Segment } from "./segment.ts";

export interface ForeignHostOptions {
  readonly queue: EventQueue;
  readonly segment: Segment;
  readonly index: number;
  /** A frame of it leaves; `port`: its own. */
  readonly onFrame: (address: Ip, port: number) => void;
}

export class ForeignHost {
  readonly #options: ForeignHostOptions;
  readonly #port: number;
  #address: Ip | null = null;

  constructor(options: ForeignHostOptions) {
    this.#options = options;
    this.#port = options.segment.attach({
      isListening: false,
      takesDatagrams: false,
      receive: (frame, from) => {
        if (frame.kind === "probe" && frame.address === this.#address) this.#say("answer", from);
      },
    });
  }

  get isActive(): boolean {
    return this.#address !== null;
  }

  /** Announces the address now and every `everyMs`. */
  begin(address: Ip, everyMs: number): void {
    this.#address = address;
    const again = (): void => {
      if (this.#address !== address) return;
      this.#say("announce", null);
      this.#options.queue.after(everyMs, again);
    };
    again();
  }

  end(): void {
    this.#address = null;
  }

  #say(kind: "announce" | "answer", to: number | null): void {
    const { segment, index, onFrame } = this.#options;
    const address = this.#address;
    if (address === null) return;
    segment.send({ kind, address, mac: macOfPort(index, this.#port) }, this.#port, to);
    // An answer to somebody else is not heard by the owner.
    if (kind === "announce") onFrame(address, this.#port);
  }
}

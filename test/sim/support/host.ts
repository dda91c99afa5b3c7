// The host below a simulated daemon: while it has power its kernel answers for its own address,
// whatever the daemon does.

import { ipOfPort } from "./responder-model.ts";
import type { Frame, Segment } from "./segment.ts";

export class Host {
  readonly #segment: Segment;
  readonly #port: number;
  hasPower = true;

  constructor(segment: Segment, port: number) {
    this.#segment = segment;
    this.#port = port;
  }

  receive(frame: Frame, from: number): void {
    if (frame.kind !== "probe" || frame.address !== ipOfPort(this.#port) || !this.hasPower) return;
    this.#segment.send({ kind: "answer", address: frame.address }, this.#port, from);
  }
}

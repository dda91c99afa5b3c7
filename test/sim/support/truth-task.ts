// Asks now and then who answers on the wire, as src/daemon/wire-truth-task.ts does.

import type { Asked } from "../../../src/answering/asks.ts";
import type { Ip } from "../../../src/core/address.ts";
import type { PeerEntry } from "../../../src/core/peer.ts";
import type { BootMs } from "../../../src/core/time.ts";
import type { Ownership } from "../../../src/ownership/machine.ts";
import type { OwnershipEvent } from "../../../src/ownership/types.ts";
import { WireTruth, type WireTruthEffect } from "../../../src/ownership/wire-truth.ts";
import type { NodeClock } from "./clock.ts";
import type { EventQueue } from "./event-queue.ts";
import type { ResponderModel } from "./responder-model.ts";
import { SimTimer } from "./timer.ts";

const IDLE_MS = 1_000;

export interface TruthPorts {
  readonly queue: EventQueue;
  readonly clock: NodeClock;
  readonly machine: Ownership;
  readonly responder: ResponderModel;
  /** Runs `work` in the main loop, while the process lives. */
  readonly post: (source: string, work: () => void) => void;
  readonly step: (event: OwnershipEvent) => void;
  /** An owner counts as mute. */
  readonly onMute: (address: Ip) => void;
}

export class TruthTask {
  readonly #ports: TruthPorts;
  readonly #truth = new WireTruth();
  readonly #timer: SimTimer;

  constructor(ports: TruthPorts) {
    this.#ports = ports;
    this.#timer = new SimTimer(ports, () => ports.post("timer", () => this.#next()));
  }

  start(): void {
    this.#timer.arm(this.#now() + IDLE_MS);
  }

  onAsked(asked: Asked): void {
    const now = this.#now();
    const watched = this.#ports.machine.views.watched(asked.address, now);
    this.#perform(this.#truth.asked(watched, asked, now));
  }

  onComplaint(entries: readonly PeerEntry[]): void {
    this.#truth.complained(entries, this.#now());
  }

  #now(): BootMs {
    return this.#ports.clock.now();
  }

  #next(): void {
    const { views } = this.#ports.machine;
    const now = this.#now();
    const watching = views.watching(now);
    this.#perform(this.#truth.takeAsk(watching, now));
    this.#timer.arm(watching.addresses.size === 0 ? now + IDLE_MS : this.#truth.due);
  }

  #perform(effects: readonly WireTruthEffect[]): void {
    const { responder, step, onMute } = this.#ports;
    for (const effect of effects) {
      if (effect.type === "ask") responder.ask(effect.address, effect.interface);
      if (effect.type === "complain") responder.complain(effect.entry, effect.interface);
      if (effect.type !== "owner-mute") continue;
      onMute(effect.address);
      step(effect);
    }
  }
}

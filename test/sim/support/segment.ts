// The virtual L2 segment: who hears whom. Frames are announcements; they can be lost, late, cut off
// by a partition or by a carrier that is gone.

import type { Ip } from "../../../src/core/address.ts";
import type { EventQueue } from "./event-queue.ts";
import type { Prng } from "./prng.ts";

export interface Port {
  receive(address: Ip, from: number): void;
}

const DELAY_MS_MAX = 1;

export class Segment {
  readonly #queue: EventQueue;
  readonly #prng: Prng;
  readonly #ports: Port[] = [];
  readonly #hasCarrier: boolean[] = [];
  readonly #group: number[] = [];
  readonly #deafUntilHealed = new Set<number>();
  loss = 0;
  /** Called when who hears whom changed, or a frame got lost. */
  onTrouble: () => void = () => {};

  constructor(queue: EventQueue, prng: Prng) {
    this.#queue = queue;
    this.#prng = prng;
  }

  attach(port: Port): number {
    this.#hasCarrier.push(true);
    this.#group.push(0);
    return this.#ports.push(port) - 1;
  }

  hasCarrier(port: number): boolean {
    return this.#hasCarrier[port] === true;
  }

  setCarrier(port: number, hasCarrier: boolean): void {
    this.#hasCarrier[port] = hasCarrier;
    this.onTrouble();
  }

  /** Splits the segment: ports of different groups do not hear each other. */
  partition(groups: readonly number[]): void {
    for (const port of this.#ports.keys()) this.#group[port] = groups[port] ?? 0;
    this.onTrouble();
  }

  /** The port receives nothing, while the others hear it. */
  deafen(port: number, isDeaf: boolean): void {
    if (isDeaf) this.#deafUntilHealed.add(port);
    else this.#deafUntilHealed.delete(port);
    this.onTrouble();
  }

  heal(): void {
    this.loss = 0;
    this.#deafUntilHealed.clear();
    for (const port of this.#ports.keys()) {
      this.#hasCarrier[port] = true;
      this.#group[port] = 0;
    }
    this.onTrouble();
  }

  /** `to` receives what `from` sends. */
  hears(from: number, to: number): boolean {
    if (this.#deafUntilHealed.has(to)) return false;
    const isWhole = this.#group[from] === this.#group[to];
    return isWhole && this.hasCarrier(from) && this.hasCarrier(to);
  }

  broadcast(address: Ip, from: number): void {
    for (const [to, port] of this.#ports.entries()) {
      if (to === from || !this.hears(from, to)) continue;
      if (this.#prng.chance(this.loss)) {
        this.onTrouble();
        continue;
      }
      this.#queue.after(this.#prng.between(0.02, DELAY_MS_MAX), () => {
        if (this.hears(from, to)) port.receive(address, from);
      });
    }
  }
}

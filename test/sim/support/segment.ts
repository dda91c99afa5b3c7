// The virtual L2 segment: who hears whom, and frames on their way. Frames can be lost, late, twice,
// cut off by a partition or a filter, or by a carrier that is gone.

import type { Ip } from "../../../src/core/address.ts";
import type { EventQueue } from "./event-queue.ts";
import type { Prng } from "./prng.ts";

export type Frame =
  | { readonly kind: "announce"; readonly address: Ip }
  | { readonly kind: "datagram"; readonly bytes: Uint8Array }
  /** Who has the address? */
  | { readonly kind: "probe"; readonly address: Ip }
  | { readonly kind: "answer"; readonly address: Ip };

export interface Port {
  receive(frame: Frame, from: number): void;
}

const DELAY_MS_MAX = 1;
export const LATE_MS_MAX = 40;

export class Segment {
  readonly #queue: EventQueue;
  readonly #prng: Prng;
  readonly #ports: Port[] = [];
  readonly #hasCarrier: boolean[] = [];
  readonly #group: number[] = [];
  readonly #deaf = new Set<number>();
  readonly #mute = new Set<number>();
  /** Ports whose datagrams reach nobody, while their ARP does. */
  readonly #filtered = new Set<number>();
  readonly #oneWay = new Set<string>();
  loss = 0;
  duplication = 0;
  lateness = 0;
  /** Called when who hears whom changed, or a frame got lost. */
  onTrouble: () => void = () => {};
  /** Called when a frame takes longer than it should. */
  onLate: () => void = () => {};

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

  /** `deaf`: the port receives nothing; `mute`: nobody receives it; `filtered`: its datagrams. */
  mark(kind: "deaf" | "mute" | "filtered", port: number, isSet: boolean): void {
    const ports = { deaf: this.#deaf, mute: this.#mute, filtered: this.#filtered }[kind];
    if (isSet) ports.add(port);
    else ports.delete(port);
    this.onTrouble();
  }

  /** `to` does not receive what `from` sends. */
  cutOneWay(from: number, to: number, isCut: boolean): void {
    if (isCut) this.#oneWay.add(`${from} ${to}`);
    else this.#oneWay.delete(`${from} ${to}`);
    this.onTrouble();
  }

  heal(): void {
    this.loss = 0;
    this.duplication = 0;
    this.lateness = 0;
    for (const set of [this.#deaf, this.#mute, this.#filtered, this.#oneWay]) set.clear();
    for (const port of this.#ports.keys()) {
      this.#hasCarrier[port] = true;
      this.#group[port] = 0;
    }
    this.onTrouble();
  }

  /** `to` receives what `from` sends. */
  hears(from: number, to: number): boolean {
    if (this.#deaf.has(to) || this.#mute.has(from)) return false;
    if (this.#oneWay.size > 0 && this.#oneWay.has(`${from} ${to}`)) return false;
    const isWhole = this.#group[from] === this.#group[to];
    return isWhole && this.hasCarrier(from) && this.hasCarrier(to);
  }

  /** ARP and datagrams both get through. */
  hearsAll(from: number, to: number): boolean {
    return this.hears(from, to) && !this.#filtered.has(from);
  }

  /** `to` null: to everybody. */
  send(frame: Frame, from: number, to: number | null): void {
    if (frame.kind === "datagram" && this.#filtered.has(from)) return;
    if (to !== null) return this.#sendTo(frame, from, to);
    for (const port of this.#ports.keys()) if (port !== from) this.#sendTo(frame, from, port);
  }

  #sendTo(frame: Frame, from: number, to: number): void {
    if (!this.hears(from, to)) return;
    const prng = this.#prng;
    if (this.loss > 0 && prng.chance(this.loss)) return this.onTrouble();
    this.#deliver(frame, from, to);
    if (this.duplication > 0 && prng.chance(this.duplication)) this.#deliver(frame, from, to);
  }

  #deliver(frame: Frame, from: number, to: number): void {
    const prng = this.#prng;
    const isLate = this.lateness > 0 && prng.chance(this.lateness);
    if (isLate) this.onLate();
    const delay = prng.between(0.02, isLate ? LATE_MS_MAX : DELAY_MS_MAX);
    this.#queue.after(delay, () => {
      if (this.hears(from, to)) this.#ports[to]?.receive(frame, from);
    });
  }
}

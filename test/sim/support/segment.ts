// The virtual L2 segment: who hears whom, and frames on their way. Frames can be lost, late, twice,
// cut off by a partition or a filter, or by a carrier that is gone.

import type { Ip } from "../../../src/core/address.ts";
import type { Mac } from "../../../src/core/mac.ts";
import type { EventQueue } from "./event-queue.ts";
import { type Harm, UNCOUNTED } from "./harm.ts";
import { isHostIp } from "./lan.ts";
import type { Prng } from "./prng.ts";

export type Frame =
  /** `mac`: where the address is, says the frame. */
  | { readonly kind: "announce"; readonly address: Ip; readonly mac: Mac }
  | { readonly kind: "datagram"; readonly bytes: Uint8Array }
  /** Who has the address? `to` null: everybody is asked. */
  | { readonly kind: "probe"; readonly address: Ip; readonly to: Mac | null }
  | { readonly kind: "answer"; readonly address: Ip; readonly mac: Mac };

export interface Port {
  /** False while nobody is there that a frame could matter to. */
  readonly isListening: boolean;
  /** False for one that beacons mean nothing to. */
  readonly takesDatagrams: boolean;
  receive(frame: Frame, from: number): void;
}

export type Mark = "deaf" | "mute" | "filtered" | "arpMute";

const DELAY_MS_MAX = 1;
export const LATE_MS_MAX = 40;

/** Of each frame, and who is to blame. */
interface Chance {
  readonly part: number;
  readonly harm: Harm;
}

const NEVER: Chance = { part: 0, harm: UNCOUNTED };

export class Segment {
  readonly #queue: EventQueue;
  readonly #prng: Prng;
  readonly #ports: (Port | null)[] = [];
  readonly #hasCarrier: boolean[] = [];
  readonly #group: number[] = [];
  readonly #carrierHarm = new Map<number, Harm>();
  #partitionHarm = UNCOUNTED;
  readonly #deaf = new Map<number, Harm>();
  readonly #mute = new Map<number, Harm>();
  /** Ports whose datagrams reach nobody, while their ARP does. */
  readonly #filtered = new Map<number, Harm>();
  /** Ports whose ARP for addresses that are not the host's reaches nobody. */
  readonly #arpMute = new Map<number, Harm>();
  readonly #oneWay = new Map<string, Harm>();
  #loss = NEVER;
  #duplication = NEVER;
  #lateness = NEVER;
  /** Called when who hears whom changed. */
  onTrouble: () => void = () => {};
  /** Called when a frame got lost. */
  onLost: () => void = () => {};
  /** Called when a frame takes longer than it should. */
  onLate: () => void = () => {};

  constructor(queue: EventQueue, prng: Prng) {
    this.#queue = queue;
    this.#prng = prng;
  }

  /** The number of the port; null: nobody is there, and no other one gets the number. */
  attach(port: Port | null): number {
    this.#hasCarrier.push(port !== null);
    this.#group.push(0);
    return this.#ports.push(port) - 1;
  }

  hasCarrier(port: number): boolean {
    return this.#hasCarrier[port] === true;
  }

  setCarrier(port: number, hasCarrier: boolean, harm = UNCOUNTED): void {
    this.#carrierHarm.set(port, harm);
    this.#hasCarrier[port] = hasCarrier;
    this.onTrouble();
  }

  /** Splits the segment: ports of different groups do not hear each other. */
  partition(groups: readonly number[], harm = UNCOUNTED): void {
    this.#partitionHarm = harm;
    for (const port of this.#ports.keys()) this.#group[port] = groups[port] ?? 0;
    this.onTrouble();
  }

  /**
   * `deaf`: the port receives nothing; `mute`: nobody receives it; `filtered`: its datagrams;
   * `arpMute`: what it says in ARP of other addresses than its own.
   */
  mark(kind: Mark, port: number, harm: Harm | null): void {
    const ports = {
      deaf: this.#deaf,
      mute: this.#mute,
      filtered: this.#filtered,
      arpMute: this.#arpMute,
    }[kind];
    if (harm === null) ports.delete(port);
    else ports.set(port, harm);
    this.onTrouble();
  }

  /** `to` does not receive what `from` sends. */
  cutOneWay(from: number, to: number, harm: Harm | null): void {
    if (harm === null) this.#oneWay.delete(`${from} ${to}`);
    else this.#oneWay.set(`${from} ${to}`, harm);
    this.onTrouble();
  }

  /** So large a part of the frames is lost. */
  lose(part: number, harm = UNCOUNTED): void {
    this.#loss = { part, harm };
  }

  double(part: number, harm = UNCOUNTED): void {
    this.#duplication = { part, harm };
  }

  delay(part: number, harm = UNCOUNTED): void {
    this.#lateness = { part, harm };
  }

  heal(): void {
    this.lose(0);
    this.double(0);
    this.delay(0);
    for (const set of [this.#deaf, this.#mute, this.#filtered, this.#arpMute, this.#oneWay]) {
      set.clear();
    }
    for (const [port, attached] of this.#ports.entries()) {
      this.#hasCarrier[port] = attached !== null;
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

  /** What it says of VIPs gets through. */
  hearsArp(from: number, to: number): boolean {
    return this.hears(from, to) && !this.#arpMute.has(from);
  }

  /** ARP and datagrams both get through. */
  hearsAll(from: number, to: number): boolean {
    return this.hearsArp(from, to) && !this.#filtered.has(from);
  }

  /** `to` null: to everybody. */
  send(frame: Frame, from: number, to: number | null): void {
    if (frame.kind === "datagram" && this.#filtered.has(from)) {
      if (this.#reachesSomebody(from)) this.#filtered.get(from)?.hit();
      return;
    }
    if (to !== null) return this.#sendTo(frame, from, to);
    const isDatagram = frame.kind === "datagram";
    for (const [number, port] of this.#ports.entries()) {
      if (port === null || number === from || (isDatagram && !port.takesDatagrams)) continue;
      this.#sendTo(frame, from, number);
    }
  }

  #sendTo(frame: Frame, from: number, to: number): void {
    if (!this.hears(from, to)) return this.#blame(from, to);
    if (isOfVip(frame) && this.#arpMute.has(from)) {
      if (this.#ports[to]?.isListening === true) this.#arpMute.get(from)?.hit();
      return;
    }
    if (this.#strikes(this.#loss, to)) return this.onLost();
    this.#deliver(frame, from, to);
    if (this.#strikes(this.#duplication, to)) this.#deliver(frame, from, to);
  }

  #strikes({ part, harm }: Chance, to: number): boolean {
    if (part === 0 || !this.#prng.chance(part)) return false;
    if (this.#ports[to]?.isListening === true) harm.hit();
    return true;
  }

  /** The one harm without which the frame would have arrived; two that overlap prove nothing. */
  #blame(from: number, to: number): void {
    if (this.#ports[to]?.isListening !== true) return;
    const causes = [this.#deaf.get(to), this.#mute.get(from), this.#oneWay.get(`${from} ${to}`)];
    if (this.#group[from] !== this.#group[to]) causes.push(this.#partitionHarm);
    for (const port of [from, to]) {
      if (!this.hasCarrier(port)) causes.push(this.#carrierHarm.get(port));
    }
    const [only, other] = causes.filter((cause) => cause !== undefined);
    if (other === undefined) only?.hit();
  }

  #reachesSomebody(from: number): boolean {
    return this.#ports.some(
      (port, to) => to !== from && port?.takesDatagrams && port.isListening && this.hears(from, to),
    );
  }

  #deliver(frame: Frame, from: number, to: number): void {
    const prng = this.#prng;
    const isLate = this.#strikes(this.#lateness, to);
    if (isLate) this.onLate();
    const delay = prng.between(0.02, isLate ? LATE_MS_MAX : DELAY_MS_MAX);
    this.#queue.after(delay, () => {
      if (this.hears(from, to)) this.#ports[to]?.receive(frame, from);
    });
  }
}

function isOfVip(frame: Frame): boolean {
  if (frame.kind !== "announce" && frame.kind !== "answer") return false;
  return !isHostIp(frame.address);
}

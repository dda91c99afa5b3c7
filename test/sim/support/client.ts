// A host on a segment that talks to the VIPs now and then: it asks who has one, believes the answer
// until nothing confirms it, and learns from what is announced. It is only looked at.

import type { Ip } from "../../../src/core/address.ts";
import type { Mac } from "../../../src/core/mac.ts";
import type { EventQueue } from "./event-queue.ts";
import { portOfMac } from "./lan.ts";
import { NeighbourCache } from "./neighbour-cache.ts";
import type { Prng } from "./prng.ts";
import type { Frame, Segment } from "./segment.ts";

/** Time between two things that it wants of a VIP. */
const TALK_MS = 4_000;
/** As the kernel's retrans_time, ucast_solicit and mcast_solicit. */
const RETRY_MS = 1_000;
const TRIES_MAX = 3;

export class Client {
  readonly port: number;
  readonly #queue: EventQueue;
  readonly #segment: Segment;
  readonly #cache: NeighbourCache;
  /** By VIP, when each host has said last that it has it. */
  readonly #heardAt = new Map<Ip, Map<Mac, number>>();
  /** The requests that have no answer yet. */
  readonly #tries = new Map<Ip, number>();

  constructor(options: {
    readonly queue: EventQueue;
    readonly prng: Prng;
    readonly segment: Segment;
    readonly vips: readonly Ip[];
  }) {
    const { queue, prng, segment, vips } = options;
    this.#queue = queue;
    this.#segment = segment;
    this.#cache = new NeighbourCache({ locksAll: prng.chance(0.5) });
    this.port = segment.attach({
      isListening: false,
      takesDatagrams: false,
      receive: (frame) => this.#receive(frame),
    });
    for (const vip of vips) queue.after(prng.between(0, TALK_MS), () => this.#talk(vip));
  }

  /** Where it sends what is for the VIP; null: it does not know. */
  macOf(vip: Ip): Mac | null {
    return this.#cache.get(vip);
  }

  /** When another host than this one has said last that it has the VIP. */
  othersHeardAt(vip: Ip, than: Mac): number {
    let last = -Infinity;
    for (const [mac, at] of this.#heardAt.get(vip) ?? []) {
      if (mac !== than) last = Math.max(last, at);
    }
    return last;
  }

  #receive(frame: Frame): void {
    const { now } = this.#queue;
    if (frame.kind !== "announce" && frame.kind !== "answer") return;
    const known = this.#heardAt.get(frame.address) ?? new Map<Mac, number>();
    this.#heardAt.set(frame.address, known.set(frame.mac, now));
    if (frame.kind === "announce") {
      this.#cache.announced(frame.address, frame.mac, now);
      return;
    }
    this.#tries.delete(frame.address);
    this.#cache.answered(frame.address, frame.mac, now);
  }

  #talk(vip: Ip): void {
    const { now } = this.#queue;
    const mac = this.#cache.get(vip);
    if (mac === null || this.#cache.isStale(vip, now)) this.#ask(vip);
    else this.#queue.after(TALK_MS, () => this.#talk(vip));
  }

  /** Who it knows, first; then everybody. */
  #ask(vip: Ip): void {
    const tries = this.#tries.get(vip) ?? 0;
    const mac = this.#cache.get(vip);
    if (tries === TRIES_MAX) {
      this.#tries.delete(vip);
      this.#cache.forget(vip);
      if (mac === null) return this.#queue.after(TALK_MS, () => this.#talk(vip));
      return this.#ask(vip);
    }
    this.#tries.set(vip, tries + 1);
    const to = mac === null ? null : portOfMac(mac);
    this.#segment.send({ kind: "probe", address: vip, to: mac }, this.port, to);
    this.#queue.after(RETRY_MS, () => {
      if (this.#tries.has(vip)) this.#ask(vip);
      else this.#queue.after(TALK_MS, () => this.#talk(vip));
    });
  }
}

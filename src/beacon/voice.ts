// How this node speaks: numbers its datagrams, authenticates them, and is silent without a key, and
// while an older host of its name is about.

import type { Ip } from "../core/address.ts";
import type { BootMs } from "../core/time.ts";
import { after, NEVER } from "../core/time.ts";
import type { DatagramBody } from "./body.ts";
import type { Hmac } from "./wire.ts";
import { encodeDatagram } from "./wire.ts";

/** A host of the same name is spoken of at most once in this time. */
const CONFLICT_REPORT_MS = 60_000;
/** Longer than that host may take to restart: the name is still its own then. */
export const MUTE_MS = 90_000;
const LONG_AGO = -NEVER as BootMs;

export class Voice {
  readonly #options: { readonly node: string; readonly incarnation: number; readonly hmac: Hmac };
  #cluster: string | null = null;
  #key: Uint8Array | null = null;
  #sequence = 0;
  #mutedUntil: BootMs = LONG_AGO;
  #conflictToldAt: BootMs = LONG_AGO;

  constructor(options: {
    readonly node: string;
    readonly incarnation: number;
    readonly hmac: Hmac;
  }) {
    this.#options = options;
  }

  get cluster(): string | null {
    return this.#cluster;
  }

  /** Both return true when this node could not speak before, and now can. */
  setCluster(cluster: string): boolean {
    const couldSpeak = this.#canSpeak;
    this.#cluster = cluster;
    return !couldSpeak && this.#canSpeak;
  }

  setKey(key: Uint8Array | null): boolean {
    const couldSpeak = this.#canSpeak;
    this.#key = key;
    return !couldSpeak && this.#canSpeak;
  }

  /** Silent for a while: another host has this node's name, and is older. */
  mute(now: BootMs): void {
    this.#mutedUntil = after(now, MUTE_MS);
  }

  isMuted(now: BootMs): boolean {
    return !this.#canSpeak || now < this.#mutedUntil;
  }

  /** True when somebody should be told of the other host; that counts as told. */
  takeConflictReport(now: BootMs): boolean {
    if (now < after(this.#conflictToldAt, CONFLICT_REPORT_MS)) return false;
    this.#conflictToldAt = now;
    return true;
  }

  /** The bytes of the next datagram, or null: silent. */
  say(body: DatagramBody, address: Ip, now: BootMs): Uint8Array | null {
    if (this.isMuted(now) || this.#cluster === null || this.#key === null) return null;
    this.#sequence += 1;
    const { node, incarnation, hmac } = this.#options;
    const head = { cluster: this.#cluster, node, incarnation, sequence: this.#sequence, address };
    return encodeDatagram({ ...head, body }, this.#key, hmac);
  }

  get #canSpeak(): boolean {
    return this.#cluster !== null && this.#key !== null;
  }
}

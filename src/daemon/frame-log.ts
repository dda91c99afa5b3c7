// The last frames that the responder looked at, each with its outcome, and its last decisions: for
// `lbctl bugreport`. All room is taken at the start (about 480 KB); the newest replace the oldest,
// and a storm of usual frames does not push out the rare ones.

import type { BootMs } from "../core/time.ts";

/** What is kept of a frame: all of ARP, and of Neighbor Discovery with a few options. */
export const LOGGED_BYTES = 128;
/** What every segment has much of. */
const USUAL: ReadonlySet<string> = new Set(["answered", "not-ours", "not-request", "own-frame"]);
const USUAL_FRAMES = 2_048;
const RARE_FRAMES = 1_024;
const DECISIONS = 1_024;
const DECISION_CHARACTERS_MAX = 200;
const LENGTH_MAX = 0xffff;
/** Outcomes and interfaces are kept by number; those beyond this many share the last. */
const NAMES_MAX = 256;

/** The frames of one ring, as they lie: in no order until they are sorted by time. */
export interface PackedFrames {
  readonly at: Float64Array;
  /** True lengths, at most 65,535. */
  readonly lengths: Uint16Array;
  /** The first `LOGGED_BYTES` of each; of a shorter one only its length is valid. */
  readonly bytes: Uint8Array;
  /** Numbers of `PackedLog.names`. */
  readonly outcomes: Uint8Array;
  readonly interfaces: Uint8Array;
}

/** Few objects and much of each: the thread that makes it has answers to give. */
export interface PackedLog {
  readonly rings: readonly PackedFrames[];
  readonly names: readonly string[];
  readonly decidedAt: Float64Array;
  readonly decisions: readonly string[];
}

class FrameRing {
  readonly #at: Float64Array;
  readonly #lengths: Uint16Array;
  readonly #bytes: Uint8Array;
  readonly #outcomes: Uint8Array;
  readonly #interfaces: Uint8Array;
  readonly #size: number;
  #next = 0;
  #count = 0;

  constructor(size: number) {
    this.#size = size;
    this.#at = new Float64Array(size);
    this.#lengths = new Uint16Array(size);
    this.#bytes = new Uint8Array(size * LOGGED_BYTES);
    this.#outcomes = new Uint8Array(size);
    this.#interfaces = new Uint8Array(size);
  }

  note(frame: Uint8Array, length: number, outcome: number, name: number, at: BootMs): void {
    const slot = this.#next;
    this.#next = slot + 1 === this.#size ? 0 : slot + 1;
    if (this.#count < this.#size) this.#count += 1;
    this.#at[slot] = at;
    this.#lengths[slot] = Math.min(length, LENGTH_MAX);
    this.#outcomes[slot] = outcome;
    this.#interfaces[slot] = name;
    const start = slot * LOGGED_BYTES;
    // A view for `set` would be garbage for every frame.
    const end = Math.min(length, LOGGED_BYTES);
    for (let i = 0; i < end; i++) this.#bytes[start + i] = frame[i] ?? 0;
  }

  packed(): PackedFrames {
    const count = this.#count;
    return {
      at: this.#at.slice(0, count),
      lengths: this.#lengths.slice(0, count),
      bytes: this.#bytes.slice(0, count * LOGGED_BYTES),
      outcomes: this.#outcomes.slice(0, count),
      interfaces: this.#interfaces.slice(0, count),
    };
  }
}

export class FrameLog {
  readonly #usual = new FrameRing(USUAL_FRAMES);
  readonly #rare = new FrameRing(RARE_FRAMES);
  readonly #numbers = new Map<string, number>();
  readonly #decidedAt = new Float64Array(DECISIONS);
  readonly #decisions: string[] = [];
  #next = 0;

  /** Runs for every frame, so it takes no object that would be garbage after. */
  frame(frame: Uint8Array, length: number, outcome: string, name: string, at: BootMs): void {
    const ring = USUAL.has(outcome) ? this.#usual : this.#rare;
    ring.note(frame, length, this.#numberOf(outcome), this.#numberOf(name), at);
  }

  /** Null: nothing to remember. */
  decision(text: string | null, at: BootMs): void {
    if (text === null) return;
    this.#decidedAt[this.#next] = at;
    this.#decisions[this.#next] = text.slice(0, DECISION_CHARACTERS_MAX);
    this.#next = (this.#next + 1) % DECISIONS;
  }

  packed(): PackedLog {
    return {
      rings: [this.#usual.packed(), this.#rare.packed()],
      names: [...this.#numbers.keys()],
      decidedAt: this.#decidedAt.slice(0, this.#decisions.length),
      decisions: [...this.#decisions],
    };
  }

  #numberOf(name: string): number {
    const known = this.#numbers.get(name);
    if (known !== undefined) return known;
    const number = this.#numbers.size;
    if (number >= NAMES_MAX) return NAMES_MAX - 1;
    this.#numbers.set(name, number);
    return number;
  }
}

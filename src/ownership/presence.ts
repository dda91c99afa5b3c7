// This node's own Lease: renewed at intervals, and the measure of whether the API is within reach.
// The right to answer does not hang on it: that is renewed by beacons, on the responder thread.

import { isOlderVersion } from "../core/resource-version.ts";
import type { BootMs } from "../core/time.ts";
import { after, earliest, NEVER } from "../core/time.ts";
import type { Timings } from "./timings.ts";
import type { MemberRecord, WriteOutcome } from "./types.ts";

const LONG_AGO = Number.NEGATIVE_INFINITY as BootMs;

export class Presence {
  readonly #timings: Timings;
  #resourceVersion: string | null = null;
  #isWriting = false;
  #hasFailed = false;
  #renewAt: BootMs = NEVER;
  #renewedAt: BootMs = LONG_AGO;

  constructor(timings: Timings) {
    this.#timings = timings;
  }

  get resourceVersion(): string | null {
    return this.#resourceVersion;
  }

  get isWriting(): boolean {
    return this.#isWriting;
  }

  /** True when a write got no answer, until one is written. */
  get hasFailed(): boolean {
    return this.#hasFailed;
  }

  /** True while the API has confirmed, recently enough, that this node is a member. */
  isConfirmed(now: BootMs): boolean {
    return now < after(this.#renewedAt, this.#timings.renewDeadlineMs);
  }

  /** Makes a renewal due now: at the start, and when what the Lease says has changed. */
  renewNow(now: BootMs): void {
    this.#renewAt = now;
  }

  /** True when a write is due; it then counts as sent. */
  shouldWrite(now: BootMs): boolean {
    if (this.#isWriting || now < this.#renewAt) return false;
    this.#isWriting = true;
    this.#renewAt = NEVER;
    return true;
  }

  /** What became of a write. */
  written(sentAt: BootMs, outcome: WriteOutcome<MemberRecord>, now: BootMs): void {
    this.#isWriting = false;
    // A conflict may be one with a write of one's own whose answer was lost: no end of an outage.
    if (outcome.kind !== "conflict") this.#hasFailed = outcome.kind === "failed";
    const { renewIntervalMs, retryMs } = this.#timings;
    if (outcome.kind !== "written") {
      this.#renewAt = earliest(this.#renewAt, after(now, retryMs));
      return;
    }
    this.#resourceVersion = outcome.record.resourceVersion;
    this.#renewedAt = sentAt;
    this.#renewAt = earliest(this.#renewAt, after(sentAt, renewIntervalMs));
  }

  /** The Lease as the API has it, or null when it has none. A late one changes nothing. */
  observe(record: MemberRecord | null): void {
    const version = record?.resourceVersion ?? null;
    const known = this.#resourceVersion;
    if (version !== null && known !== null && isOlderVersion(version, known)) return;
    this.#resourceVersion = version;
  }

  nextDeadline(): BootMs {
    return this.#isWriting ? NEVER : this.#renewAt;
  }
}

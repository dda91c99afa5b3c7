// Writes Leases for the ownership machine and the leadership, and turns every outcome into the
// three that they know. Writes of VIP Leases are pipelined, a bounded number at a time.

import type { BootMs, Clock } from "../core/time.ts";
import type { LeaseClient, LeaseWrite } from "../k8s-sync/leases.ts";
import type { Lease } from "../k8s-sync/model.ts";
import type { ApiFailure, Outcome } from "../k8s-sync/outcome.ts";
import type { WriteOutcome } from "../ownership/types.ts";

/** Enough to hide the round trip, few enough to leave the API server to others. */
const CONCURRENT_WRITES_MAX = 16;

export interface LeaseWriterOptions {
  readonly leases: LeaseClient;
  readonly clock: Clock;
  /** A write got through after one that did not. */
  readonly onReached?: () => void;
}

export interface LeaseWriteRequest {
  readonly lease: Omit<LeaseWrite, "renewTime">;
  /** Null: create. */
  readonly resourceVersion: string | null;
  readonly timeoutMs: number;
}

export class LeaseWriter {
  readonly #options: LeaseWriterOptions;
  readonly #queue: (() => Promise<void>)[] = [];
  #running = 0;
  #failure: ApiFailure | null = null;
  readonly #counts = { written: 0, conflict: 0, failed: 0 };

  constructor(options: LeaseWriterOptions) {
    this.#options = options;
  }

  /** Why the last write did not get through, or null when it did; a conflict did. */
  failure(): ApiFailure | null {
    return this.#failure;
  }

  /** Writes by their outcome. */
  counts(): Readonly<Record<WriteOutcome<unknown>["kind"], number>> {
    return this.#counts;
  }

  /** Writes at once; `sentAt` was taken before the request was sent. */
  async write<R>(
    request: LeaseWriteRequest,
    decode: (lease: Lease) => R,
  ): Promise<{ sentAt: BootMs; outcome: WriteOutcome<R> }> {
    const { leases, clock } = this.#options;
    const { resourceVersion, timeoutMs } = request;
    const sentAt = clock.boot();
    const lease = { ...request.lease, renewTime: clock.wall() };
    const outcome =
      resourceVersion === null
        ? await leases.create(lease, { timeoutMs })
        : await leases.update({ ...lease, resourceVersion }, { timeoutMs });
    const hadFailed = this.#failure !== null;
    this.#failure = outcome.ok || isConflict(outcome) ? null : outcome.failure;
    if (hadFailed && this.#failure === null) this.#options.onReached?.();
    if (outcome.ok) {
      this.#counts.written += 1;
      return { sentAt, outcome: { kind: "written", record: decode(outcome.value) } };
    }
    const kind = this.#failure === null ? "conflict" : "failed";
    this.#counts[kind] += 1;
    return { sentAt, outcome: { kind } };
  }

  /** Runs `work` when there is room; in the order of the calls. */
  enqueue(work: () => Promise<void>): void {
    this.#queue.push(work);
    this.#next();
  }

  #next(): void {
    if (this.#running >= CONCURRENT_WRITES_MAX) return;
    const work = this.#queue.shift();
    if (work === undefined) return;
    this.#running += 1;
    void work().finally(() => {
      this.#running -= 1;
      this.#next();
    });
  }
}

/** The record is not what it was read as: another wrote, made or removed it. */
function isConflict(outcome: Outcome<unknown>): boolean {
  if (outcome.ok) return false;
  const { kind } = outcome.failure;
  return kind === "conflict" || kind === "already-exists" || kind === "not-found";
}

// What happens, told to whoever follows the event stream: each row of the history as it is written,
// and what is wrong whenever that changes. Nothing is looked at while nobody follows.

import type { Health, HistoryView, StandingFinding, StreamEvent } from "../api/types.ts";
import type { HistoryRow } from "../store/store.ts";

/** Looking costs as much as a status does. */
const LOOK_EVERY_MS = 2_000;

const ROWS_AT_ONCE = 100;

export interface HealthNow {
  readonly health: Health;
  readonly findings: readonly StandingFinding[];
}

export class Happenings {
  readonly #health: () => HealthNow;
  readonly #followers = new Set<(event: StreamEvent) => void>();
  #timer: NodeJS.Timeout | null = null;
  /** That are to be told. */
  #rows: HistoryRow[] = [];
  /** As it was told last. */
  #told = "";

  constructor(health: () => HealthNow) {
    this.#health = health;
  }

  /** Tells what is wrong now, then all that changes; the function ends that. */
  follow(tell: (event: StreamEvent) => void): () => void {
    const event = this.#healthEvent();
    tell(event);
    if (this.#followers.size === 0) this.#told = JSON.stringify(event);
    this.#followers.add(tell);
    this.#timer ??= setInterval(() => this.#look(), LOOK_EVERY_MS).unref();
    return () => {
      this.#followers.delete(tell);
      if (this.#followers.size > 0 || this.#timer === null) return;
      clearInterval(this.#timer);
      this.#timer = null;
    };
  }

  /** A row of the history is being written; whoever answers for a VIP then is not kept waiting. */
  changed(row: HistoryRow): void {
    if (this.#followers.size === 0) return;
    this.#rows.push(row);
    if (this.#rows.length === 1) setImmediate(() => this.#tellRows());
  }

  /** Few at a time: in between, readers take what they were told. */
  #tellRows(): void {
    for (const row of this.#rows.splice(0, ROWS_AT_ONCE)) {
      this.#tell({ type: "change", change: historyView(row) });
    }
    if (this.#rows.length > 0) setImmediate(() => this.#tellRows());
  }

  #tell(event: StreamEvent): void {
    for (const tell of this.#followers) tell(event);
  }

  #look(): void {
    const event = this.#healthEvent();
    const text = JSON.stringify(event);
    if (text === this.#told) return;
    this.#told = text;
    this.#tell(event);
  }

  #healthEvent(): StreamEvent {
    const { health, findings } = this.#health();
    return { type: "health", health, findings };
  }
}

export function historyView(row: HistoryRow): HistoryView {
  return { ...row, at: new Date(row.at).toISOString() };
}

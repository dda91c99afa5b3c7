// The readers of the event stream (server-sent events). Each has a bounded buffer: who reads too
// slowly misses events, and is told how many once there is room again.

import type { ServerResponse } from "node:http";
import type { StreamEvent } from "./types.ts";
import { ALIVE_EVERY_MS } from "./types.ts";

/** Of one reader, unread. */
const BUFFER_BYTES_MAX = 262_144;
const STREAMS_MAX = 256;
/** A comment, so that the reader knows that the daemon lives. */
const ALIVE = ": alive\n\n";

export type Subscribe = (tell: (event: StreamEvent) => void) => () => void;

export class EventStreams {
  readonly #subscribe: Subscribe;
  #open = 0;
  /** The event that was told last, as text: it is the same for all readers. */
  #told: { readonly event: StreamEvent; readonly text: string } | null = null;

  constructor(subscribe: Subscribe) {
    this.#subscribe = subscribe;
  }

  #textOf(event: StreamEvent): string {
    if (this.#told?.event !== event) this.#told = { event, text: textOf(event) };
    return this.#told.text;
  }

  get isFull(): boolean {
    return this.#open >= STREAMS_MAX;
  }

  /** Tells the reader all that happens until it goes. */
  serve(response: ServerResponse): void {
    this.#open += 1;
    response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store" });
    response.flushHeaders();
    const reader = new Reader(response);
    const unsubscribe = this.#subscribe((event) => reader.tell(event, this.#textOf(event)));
    const timer = setInterval(() => reader.tellAlive(), ALIVE_EVERY_MS);
    response.on("drain", () => reader.catchUp());
    // It went in the middle of a write: that is its affair.
    response.on("error", () => {});
    response.once("close", () => {
      clearInterval(timer);
      unsubscribe();
      this.#open -= 1;
    });
  }
}

class Reader {
  readonly #response: ServerResponse;
  #dropped = 0;
  /** The last of what is wrong that it missed: that is in no history. */
  #health: string | null = null;

  constructor(response: ServerResponse) {
    this.#response = response;
  }

  tell({ type }: StreamEvent, text: string): void {
    if (this.#dropped === 0 && this.#response.writableLength <= BUFFER_BYTES_MAX) {
      this.#response.write(text);
      return;
    }
    this.#dropped += 1;
    if (type === "health") this.#health = text;
  }

  /** There is room again. */
  catchUp(): void {
    if (this.#dropped === 0) return;
    const count = this.#dropped;
    this.#dropped = 0;
    this.#response.write(textOf({ type: "dropped", count }));
    if (this.#health !== null) this.#response.write(this.#health);
    this.#health = null;
  }

  tellAlive(): void {
    if (this.#response.writableLength === 0) this.#response.write(ALIVE);
  }
}

function textOf(event: StreamEvent): string {
  return `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;
}

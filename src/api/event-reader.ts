// Reads server-sent events (the event stream of the daemon) out of chunks as they come.

import type { StreamEvent } from "./types.ts";

/** A line that does not end is none of ours. */
const LINE_CHARS_MAX = 4_194_304;

export class EventReader {
  #rest = "";

  /** The events that the chunk completes. Throws SyntaxError where the data is not JSON. */
  take(chunk: string): StreamEvent[] {
    const lines = (this.#rest + chunk).split("\n");
    this.#rest = lines.pop() ?? "";
    if (this.#rest.length > LINE_CHARS_MAX) throw new SyntaxError("a line without end");
    return lines
      .filter((line) => line.startsWith("data: "))
      .map((line) => JSON.parse(line.slice("data: ".length)) as StreamEvent);
  }
}

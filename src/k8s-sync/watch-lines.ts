// Cuts the bytes of a watch into lines and the lines into events, however they are chunked. Pure.
// A line that grows beyond the limit ends the stream with an answer, not with the memory.

import { StringDecoder } from "node:string_decoder";

/** An event that changes something, or a bookmark. ERROR becomes "FAILED" in the client. */
export interface WatchEvent {
  readonly type: "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK";
  readonly object: unknown;
}

export type WatchLine =
  | { readonly kind: "event"; readonly event: WatchEvent }
  | { readonly kind: "error"; readonly object: unknown }
  /** No JSON, or no event. */
  | { readonly kind: "malformed" };

/** etcd stores at most 1.5 MiB an object; as JSON with all its escapes it stays below this. */
export const LINE_LENGTH_MAX = 16 * 1024 * 1024;

export class LineSplitter {
  readonly #decoder = new StringDecoder("utf8");
  readonly #lengthMax: number;
  /** The beginning of the current line; joined once, so that long lines cost linear time. */
  #parts: string[] = [];
  #length = 0;
  #overflowed = false;

  constructor(lengthMax = LINE_LENGTH_MAX) {
    this.#lengthMax = lengthMax;
  }

  /** Whether a line was too long; nothing more comes out then. */
  get overflowed(): boolean {
    return this.#overflowed;
  }

  /** Whether the stream stopped inside a line. */
  get pending(): boolean {
    return this.#length > 0;
  }

  /** The lines that this chunk completes, without empty ones. */
  push(chunk: Uint8Array): readonly string[] {
    const lines: string[] = [];
    const pieces = this.#decoder.write(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length));
    let start = 0;
    while (!this.#overflowed) {
      const end = pieces.indexOf("\n", start);
      if (end === -1) {
        this.#append(pieces.slice(start));
        break;
      }
      this.#append(pieces.slice(start, end));
      const line = this.#take();
      if (line.trim() !== "") lines.push(line);
      start = end + 1;
    }
    return lines;
  }

  #append(part: string): void {
    if (part === "") return;
    this.#length += part.length;
    if (this.#length > this.#lengthMax) {
      this.#overflowed = true;
      this.#parts = [];
      return;
    }
    this.#parts.push(part);
  }

  #take(): string {
    if (this.#overflowed) return "";
    const line = this.#parts.join("");
    this.#parts = [];
    this.#length = 0;
    return line;
  }
}

const TYPES: ReadonlySet<unknown> = new Set(["ADDED", "MODIFIED", "DELETED", "BOOKMARK"]);

export function parseWatchLine(line: string): WatchLine {
  let raw: unknown;
  try {
    raw = JSON.parse(line);
  } catch {
    return { kind: "malformed" };
  }
  if (typeof raw !== "object" || raw === null) return { kind: "malformed" };
  const { type, object } = raw as { type?: unknown; object?: unknown };
  if (type === "ERROR") return { kind: "error", object };
  if (!TYPES.has(type)) return { kind: "malformed" };
  return { kind: "event", event: { type: type as WatchEvent["type"], object } };
}

// Reads the body of an answer into text, up to a limit.

import type { Readable } from "node:stream";

export interface ReadBody {
  readonly text: string;
  /** Whether there was more than the limit; `text` is the beginning then. */
  readonly cut: boolean;
}

/** Rejects when the connection ends before the body does. */
export async function readBody(body: Readable, bytesMax: number): Promise<ReadBody> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of body) {
    const bytes = chunk as Uint8Array;
    chunks.push(bytes);
    length += bytes.length;
    // Leaving the loop destroys the stream and with it the connection.
    if (length > bytesMax) return { text: joined(chunks).slice(0, bytesMax), cut: true };
  }
  return { text: joined(chunks), cut: false };
}

function joined(chunks: readonly Uint8Array[]): string {
  return Buffer.concat(chunks).toString("utf8");
}

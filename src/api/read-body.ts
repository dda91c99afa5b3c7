// The body of a request: JSON of a few lines. More than that is refused without being kept.

import type { IncomingMessage } from "node:http";

export const BODY_BYTES_MAX = 65_536;

/** What the JSON says, or why it cannot be read. An empty body counts as `{}`. */
export async function readBody(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > BODY_BYTES_MAX) {
      return new Error(`Cannot read the body: it is longer than ${BODY_BYTES_MAX} bytes`);
    }
    chunks.push(chunk);
  }
  if (bytes === 0) return {};
  try {
    return JSON.parse(Buffer.concat(chunks).toString("utf8"));
  } catch {
    return new Error("Cannot read the body: it is not JSON");
  }
}

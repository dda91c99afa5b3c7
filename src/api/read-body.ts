// The body of a request: JSON of a few lines, or a configuration to be planned with. More than that
// is refused without being kept.

import type { IncomingMessage } from "node:http";

/** What the API server takes for one object (etcd's limit), so that any ConfigMap fits. */
export const BODY_BYTES_MAX = 1_572_864;

/** What the JSON says, or why it cannot be read. An empty body counts as `{}`. Never rejects. */
export async function readBody(request: IncomingMessage): Promise<unknown> {
  const text = await readText(request);
  if (typeof text !== "string") return text;
  if (text === "") return {};
  try {
    return JSON.parse(text);
  } catch {
    return new Error("Cannot read the body: it is not JSON");
  }
}

/** Reads to the end in any case: who is still sending does not hear why it is refused. */
async function readText(request: IncomingMessage): Promise<string | Error> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of request as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes <= BODY_BYTES_MAX) chunks.push(chunk);
    }
  } catch {
    return new Error("Cannot read the body: the connection was cut within it");
  }
  if (bytes <= BODY_BYTES_MAX) return Buffer.concat(chunks).toString("utf8");
  return new Error(`Cannot read the body: it is longer than ${BODY_BYTES_MAX} bytes`);
}

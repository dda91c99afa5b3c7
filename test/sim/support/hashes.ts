// Hashes for the simulation: the real one where the order of nodes hangs on it, a cheap one else.

import { createHash } from "node:crypto";

/** The same text is hashed over and over; a simulation asks for few. */
const HASHES = new Map<string, string>();

/** Tables are told apart by it, nothing more. */
export function cheapHash(text: string): string {
  let [one, other] = [0x811c9dc5, 0x9e3779b9];
  for (let i = 0; i < text.length; i++) {
    one = Math.imul(one ^ text.charCodeAt(i), 0x01000193);
    other = Math.imul(other + text.charCodeAt(i), 0x85ebca6b) ^ (other >>> 13);
  }
  return [one, other].map((part) => (part >>> 0).toString(16).padStart(8, "0")).join("");
}

export function sha256(text: string): string {
  let hash = HASHES.get(text);
  if (hash === undefined) {
    hash = createHash("sha256").update(text).digest("hex");
    HASHES.set(text, hash);
  }
  return hash;
}

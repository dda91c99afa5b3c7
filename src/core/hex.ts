// Bytes as hexadecimal text. Digits are looked up: this runs for every beacon.

const PAIRS: readonly string[] = Array.from({ length: 256 }, (_, byte) =>
  byte.toString(16).padStart(2, "0"),
);

/** Lower-case digits of the bytes from `start` to before `end`. */
export function toHex(bytes: Uint8Array, start = 0, end = bytes.length): string {
  let text = "";
  for (let at = start; at < end; at++) text += PAIRS[bytes[at] ?? 0];
  return text;
}

/** Writes the bytes that `text` (lower-case digits) has; `separated`: by one letter each. */
export function writeHex(
  text: string,
  out: Uint8Array,
  where: { readonly at: number; readonly length: number; readonly separated?: boolean },
): void {
  const step = where.separated === true ? 3 : 2;
  for (let i = 0; i < where.length; i++) {
    const high = digit(text.charCodeAt(step * i));
    out[where.at + i] = (high << 4) | digit(text.charCodeAt(step * i + 1));
  }
}

function digit(code: number): number {
  return code <= 0x39 ? code - 0x30 : code - 0x57;
}

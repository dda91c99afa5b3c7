// Ethernet (MAC-48) addresses as lower-case text with colons.

declare const macBrand: unique symbol;

/** Six bytes as `aa:bb:cc:dd:ee:ff`. */
export type Mac = string & { readonly [macBrand]: true };

export const MAC_BROADCAST = "ff:ff:ff:ff:ff:ff" as Mac;
export const MAC_ZERO = "00:00:00:00:00:00" as Mac;

/** Lower-case text of the address, or null. */
export function parseMac(text: string): Mac | null {
  return /^([0-9a-f]{2}:){5}[0-9a-f]{2}$/i.test(text) ? (text.toLowerCase() as Mac) : null;
}

const HEX: readonly string[] = Array.from({ length: 256 }, (_, n) =>
  n.toString(16).padStart(2, "0"),
);

export function macAt(bytes: Uint8Array, offset: number): Mac {
  let text = HEX[bytes[offset] ?? 0] ?? "00";
  for (let i = 1; i < 6; i++) text += `:${HEX[bytes[offset + i] ?? 0]}`;
  return text as Mac;
}

export function macToBytes(mac: Mac): Uint8Array {
  return Uint8Array.from(mac.split(":"), (part) => Number.parseInt(part, 16));
}

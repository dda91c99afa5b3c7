// Numbers in bytes, in network order. Without a DataView, which costs more than it reads: these run
// for every frame.

/** 0 to 65,535. */
export function read16(bytes: Uint8Array, offset: number): number {
  return ((bytes[offset] ?? 0) << 8) | (bytes[offset + 1] ?? 0);
}

/** 0 to 2^32 - 1. */
export function read32(bytes: Uint8Array, offset: number): number {
  return read16(bytes, offset) * 0x1_0000 + read16(bytes, offset + 2);
}

/** The same 32 bits as a signed number: the fastest key of a map, for the path of an answer. */
export function readInt32(bytes: Uint8Array, offset: number): number {
  return (read16(bytes, offset) << 16) | read16(bytes, offset + 2);
}

export function write16(out: Uint8Array, offset: number, value: number): void {
  out[offset] = value >>> 8;
  out[offset + 1] = value & 255;
}

export function write32(out: Uint8Array, offset: number, value: number): void {
  write16(out, offset, value >>> 16);
  write16(out, offset + 2, value & 0xffff);
}

/** Whether `wanted` stands at that offset. */
export function isAt(bytes: Uint8Array, offset: number, wanted: Uint8Array): boolean {
  for (let i = 0; i < wanted.length; i++) if (bytes[offset + i] !== wanted[i]) return false;
  return true;
}

// The bodies of the datagrams: beacon, claim, table and so on. Big-endian; a body whose length is
// not exactly what its content needs is refused. Epochs are two numbers: the Lease's, and the
// claims since.

import { ipFamily, ipFromBigInt, ipToBigInt } from "../core/address.ts";
import { read16, write16 } from "../core/bytes.ts";
import { epochOf, holdoverOf, leaseEpochOf } from "../core/epoch.ts";
import { toHex, writeHex } from "../core/hex.ts";
import type { Mac } from "../core/mac.ts";
import { macAt } from "../core/mac.ts";
import type { EntriesChange, PeerEntry, PeerState } from "../core/peer.ts";
import { PEER_STATES } from "../core/peer.ts";

export const DIGEST_BYTES = 8;
export const CHALLENGE_BYTES = 8;

export type DatagramBody =
  | {
      readonly kind: "beacon";
      readonly state: PeerState;
      /** Time between two beacons, 1 to 65,535 ms. */
      readonly intervalMs: number;
      /** How long peers must wait after this one, 1 to 65,535 ms. */
      readonly holdMs: number;
      /** How long the main loop has stood still, in ms; capped at 65,535. */
      readonly stalledMs: number;
      /** The MAC that answers on this segment. */
      readonly mac: Mac;
      /** Of the table of VIPs that the node answers for. */
      readonly digest: string;
    }
  | { readonly kind: "claim"; readonly entries: readonly PeerEntry[] }
  /** Asks the receiver to take the VIPs over: the sender goes on until it does. */
  | { readonly kind: "offer"; readonly entries: readonly PeerEntry[] }
  /** It is not (only) the owner that answers for these on the wire: it should announce them. */
  | { readonly kind: "complaint"; readonly entries: readonly PeerEntry[] }
  /** Asks the receiver to show that it lives now, not only when what is heard was sent. */
  | {
      readonly kind: "challenge";
      /** In hexadecimal; never asked before. */
      readonly challenge: string;
    }
  /** The answer to a challenge. */
  | { readonly kind: "proof"; readonly challenge: string }
  /** Asks the receiver for its table. */
  | { readonly kind: "table-request" }
  | {
      readonly kind: "table";
      /** Of the whole table, in hexadecimal. */
      readonly digest: string;
      /** From 0; `pages` is at least 1. */
      readonly page: number;
      readonly pages: number;
      readonly entries: readonly PeerEntry[];
    }
  | ({ readonly kind: "table-change" } & TableChange);

/** What has changed in a table since it had the digest `from`, by which it has the digest `to`. */
export interface TableChange extends EntriesChange {
  readonly from: string;
  readonly to: string;
}

export const KINDS: readonly DatagramBody["kind"][] = [
  "beacon",
  "claim",
  "table-request",
  "table",
  "offer",
  "complaint",
  "challenge",
  "proof",
  "table-change",
];

/** What changes nothing but who is asked, by whom, and what is answered. */
export const FROM_ANYBODY: readonly DatagramBody["kind"][] = [
  "challenge",
  "proof",
  "table-request",
];

const BEACON_BYTES = 1 + 2 + 2 + 2 + 6 + DIGEST_BYTES;
/** Without an entry. */
export const TABLE_BYTES = DIGEST_BYTES + 2 + 2 + 2;
export const TABLE_CHANGE_BYTES = 2 * DIGEST_BYTES + 2 + 2;
/** Of one entry: family, address in 16 bytes, Lease epoch, holdover counter. */
export const ENTRY_BYTES = 1 + 16 + 4 + 2;

export function encodeBody(body: DatagramBody): Uint8Array {
  switch (body.kind) {
    case "beacon": {
      const bytes = new Uint8Array(BEACON_BYTES);
      bytes[0] = PEER_STATES.indexOf(body.state);
      write16(bytes, 1, body.intervalMs);
      write16(bytes, 3, body.holdMs);
      write16(bytes, 5, Math.min(0xffff, Math.max(0, Math.round(body.stalledMs))));
      writeHex(body.mac, bytes, { at: 7, length: 6, separated: true });
      writeHex(body.digest, bytes, { at: 13, length: DIGEST_BYTES });
      return bytes;
    }
    case "claim":
    case "offer":
    case "complaint":
      return encodeEntries(body.entries, 0).bytes;
    case "table-request":
      return new Uint8Array(0);
    case "challenge":
    case "proof": {
      const bytes = new Uint8Array(CHALLENGE_BYTES);
      writeHex(body.challenge, bytes, { at: 0, length: CHALLENGE_BYTES });
      return bytes;
    }
    case "table": {
      const { bytes, view } = encodeEntries(body.entries, TABLE_BYTES - 2);
      writeHex(body.digest, bytes, { at: 0, length: DIGEST_BYTES });
      view.setUint16(DIGEST_BYTES, body.page);
      view.setUint16(DIGEST_BYTES + 2, body.pages);
      return bytes;
    }
    case "table-change": {
      const { gone, entries } = body;
      const { bytes, view } = encodeEntries([...gone, ...entries], TABLE_CHANGE_BYTES - 2);
      writeHex(body.from, bytes, { at: 0, length: DIGEST_BYTES });
      writeHex(body.to, bytes, { at: DIGEST_BYTES, length: DIGEST_BYTES });
      view.setUint16(2 * DIGEST_BYTES, gone.length);
      return bytes;
    }
  }
}

/** `before` bytes are left free; then the number of entries, then the entries. */
function encodeEntries(entries: readonly PeerEntry[], before: number) {
  const bytes = new Uint8Array(before + 2 + entries.length * ENTRY_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint16(before, entries.length);
  for (const [index, entry] of entries.entries()) {
    const at = before + 2 + index * ENTRY_BYTES;
    const value = ipToBigInt(entry.address);
    view.setUint8(at, ipFamily(entry.address));
    view.setBigUint64(at + 1, value >> 64n);
    view.setBigUint64(at + 9, value & 0xffff_ffff_ffff_ffffn);
    view.setUint32(at + 17, leaseEpochOf(entry.epoch));
    view.setUint16(at + 21, holdoverOf(entry.epoch));
  }
  return { bytes, view };
}

/** Null: not what it should be. */
export function decodeBody(kind: DatagramBody["kind"], bytes: Uint8Array): DatagramBody | null {
  switch (kind) {
    case "beacon": {
      if (bytes.length !== BEACON_BYTES) return null;
      const state = PEER_STATES[bytes[0] ?? PEER_STATES.length];
      const [intervalMs, holdMs] = [read16(bytes, 1), read16(bytes, 3)];
      if (state === undefined || intervalMs === 0 || holdMs < intervalMs) return null;
      const digest = toHex(bytes, 13);
      return {
        kind,
        state,
        intervalMs,
        holdMs,
        stalledMs: read16(bytes, 5),
        mac: macAt(bytes, 7),
        digest,
      };
    }
    case "claim":
    case "offer":
    case "complaint": {
      const entries = decodeEntries(bytes, 0);
      return entries === null || entries.length === 0 ? null : { kind, entries };
    }
    case "table-request":
      return bytes.length === 0 ? { kind } : null;
    case "challenge":
    case "proof":
      return bytes.length === CHALLENGE_BYTES ? { kind, challenge: toHex(bytes, 0) } : null;
    case "table": {
      const entries = decodeEntries(bytes, TABLE_BYTES - 2);
      if (entries === null) return null;
      const page = read16(bytes, DIGEST_BYTES);
      const pages = read16(bytes, DIGEST_BYTES + 2);
      if (page >= pages) return null;
      return { kind, digest: toHex(bytes, 0, DIGEST_BYTES), page, pages, entries };
    }
    case "table-change": {
      const all = decodeEntries(bytes, TABLE_CHANGE_BYTES - 2);
      const count = all === null ? 0 : read16(bytes, 2 * DIGEST_BYTES);
      if (all === null || count > all.length) return null;
      return {
        kind,
        from: toHex(bytes, 0, DIGEST_BYTES),
        to: toHex(bytes, DIGEST_BYTES, 2 * DIGEST_BYTES),
        gone: all.slice(0, count),
        entries: all.slice(count),
      };
    }
  }
}

function decodeEntries(bytes: Uint8Array, before: number): PeerEntry[] | null {
  if (bytes.length < before + 2) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const count = view.getUint16(before);
  if (bytes.length !== before + 2 + count * ENTRY_BYTES) return null;
  const entries: PeerEntry[] = [];
  for (let index = 0; index < count; index++) {
    const at = before + 2 + index * ENTRY_BYTES;
    const family = view.getUint8(at);
    const value = (view.getBigUint64(at + 1) << 64n) | view.getBigUint64(at + 9);
    if ((family !== 4 && family !== 6) || (family === 4 && value > 0xffff_ffffn)) return null;
    entries.push({
      address: ipFromBigInt(family, value),
      epoch: epochOf(view.getUint32(at + 17), view.getUint16(at + 21)),
    });
  }
  return entries;
}

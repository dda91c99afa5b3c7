// What the loop of the responder thread needs of a protocol, ARP or Neighbor Discovery, for the
// frames of one interface: what to do about each, and what it says.

import type { Ip } from "../core/address.ts";
import type { AddressKey } from "../core/address-key.ts";
import type { Mac } from "../core/mac.ts";
import type { BootMs } from "../core/time.ts";

/** An address, and the MAC at which a frame says it is. */
export interface Sighting {
  readonly address: Ip;
  readonly mac: Mac;
}

export interface FrameReader {
  /**
   * The outcome of one frame of `length` bytes. `now` must be the boot clock read for this frame.
   * When it is `answered` or `stood-in`, the caller obtains the frame to send with `reply`.
   */
  look(frame: Uint8Array, length: number, now: BootMs): string;
  /** Bytes of every reply. */
  readonly replyBytes: number;
  /** Writes the reply to a frame whose outcome was `answered` or `stood-in`. */
  reply(frame: Uint8Array, out: Uint8Array): void;
  /** The address that a request is about. */
  askedFor(frame: Uint8Array): AddressKey;
  /** The MAC of whoever sent a request. */
  askerOf(frame: Uint8Array): Mac;
  /** What a frame says that is no request, or by which its sender was heard. */
  toldBy(frame: Uint8Array): Sighting;
  /** The address that its sender uses or, asking for it without one, is about to use. */
  usedBy(frame: Uint8Array): AddressKey;
  /** The same in words, with the MAC that uses it. */
  useOf(frame: Uint8Array): Sighting;
}

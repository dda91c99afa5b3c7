// Decides what one received ARP frame means for this node: exactly one named outcome a frame, and a
// reply only where the tenure allows it at this moment. Pure: bytes and `now` in, outcome out.

import type { FrameReader, Sighting } from "../answering/frame-reader.ts";
import { answerOf, type Grants, type Tenure } from "../answering/grants.ts";
import type { FrameOutcome } from "../answering/outcome.ts";
import { FRAME_OUTCOMES } from "../answering/outcome.ts";
import { ipv4FromNumber } from "../core/address.ts";
import type { AddressKey } from "../core/address-key.ts";
import { ipv4KeyAt } from "../core/address-key.ts";
import { isAt, read16, read32 } from "../core/bytes.ts";
import type { Mac } from "../core/mac.ts";
import { macAt, macToBytes } from "../core/mac.ts";
import type { BootMs } from "../core/time.ts";
import {
  ARP_FRAME_BYTES,
  encodeReply,
  type MalformedReason,
  malformedReason,
  OFFSET,
  OPERATION,
} from "./wire.ts";

/** Every outcome; each is a counter. */
export const ARP_OUTCOMES = [
  ...FRAME_OUTCOMES,
  "malformed-short",
  "malformed-oversized",
  "malformed-ethertype",
  "malformed-hardware-type",
  "malformed-protocol-type",
  "malformed-lengths",
  "malformed-operation",
  "malformed-sender",
] as const;

export type ArpOutcome = FrameOutcome | MalformedReason;
// Every reason of the codec is an outcome; this does not compile while one is missing.
type _AllReasons = MalformedReason extends (typeof ARP_OUTCOMES)[number] ? true : never;
export const ALL_REASONS_ARE_OUTCOMES: _AllReasons = true;

/** Looks at the ARP frames that one interface received. */
export class ArpReader implements FrameReader {
  readonly replyBytes = ARP_FRAME_BYTES;
  readonly #grants: Grants;
  readonly #on: { readonly name: string; readonly tenure: Tenure };
  readonly #mac: Uint8Array;

  constructor(grants: Grants, about: { readonly name: string; readonly mac: Mac }) {
    this.#grants = grants;
    this.#on = { name: about.name, tenure: grants.tenureOn(about.name) };
    this.#mac = macToBytes(about.mac);
  }

  look(frame: Uint8Array, length: number, now: BootMs): ArpOutcome {
    const malformed = malformedReason(frame, length);
    if (malformed !== null) return malformed;
    if (this.#isOwn(frame, OFFSET.source)) return "own-frame";
    const sender = ipv4KeyAt(frame, OFFSET.senderIp);
    const target = ipv4KeyAt(frame, OFFSET.targetIp);
    const isRequest = read16(frame, OFFSET.operation) === OPERATION.request;
    // What others say of the addresses is no conflict while they are to say it.
    if (this.#grants.isMuted) return isRequest ? "muted" : "not-request";
    if (this.#grants.isGranted(sender) && !this.#isOwn(frame, OFFSET.senderMac)) {
      return isRequest || sender === target ? "heard-announcement" : "heard-reply";
    }
    if (!isRequest) return "not-request";
    return this.#lookAtRequest(frame, target, now);
  }

  reply(frame: Uint8Array, out: Uint8Array): void {
    const grant = this.#grants.grantOf(ipv4KeyAt(frame, OFFSET.targetIp));
    const sender = grant?.macs.get(this.#on.name) ?? this.#mac;
    encodeReply(frame, { source: this.#mac, sender }, out);
  }

  askedFor(frame: Uint8Array): AddressKey {
    return ipv4KeyAt(frame, OFFSET.targetIp);
  }

  askerOf(frame: Uint8Array): Mac {
    return macAt(frame, OFFSET.senderMac);
  }

  toldBy(frame: Uint8Array): Sighting {
    const address = ipv4FromNumber(read32(frame, OFFSET.senderIp));
    return { address, mac: macAt(frame, OFFSET.senderMac) };
  }

  /** RFC 5227 section 2.1.1: a probe has no sender. */
  usedBy(frame: Uint8Array): AddressKey {
    const sender = ipv4KeyAt(frame, OFFSET.senderIp);
    return sender === 0 ? ipv4KeyAt(frame, OFFSET.targetIp) : sender;
  }

  useOf(frame: Uint8Array): Sighting {
    const used = read32(frame, OFFSET.senderIp) || read32(frame, OFFSET.targetIp);
    return { address: ipv4FromNumber(used), mac: macAt(frame, OFFSET.senderMac) };
  }

  #lookAtRequest(frame: Uint8Array, target: AddressKey, now: BootMs): ArpOutcome {
    const grant = this.#grants.grantOf(target);
    if (grant === undefined) return "not-ours";
    if (!isBroadcast(frame) && !this.#isOwn(frame, OFFSET.destination)) return "wrong-destination";
    return answerOf(grant, this.#on, now);
  }

  #isOwn(frame: Uint8Array, offset: number): boolean {
    return isAt(frame, offset, this.#mac);
  }
}

function isBroadcast(frame: Uint8Array): boolean {
  for (let i = 0; i < 6; i++) {
    if (frame[OFFSET.destination + i] !== 0xff) return false;
  }
  return true;
}

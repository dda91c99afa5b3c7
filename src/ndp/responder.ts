// Decides what one received Neighbor Solicitation or Advertisement means for this node: exactly one
// named outcome a frame, and an answer only where the tenure allows it at this moment (RFC 4861
// section 7.2.3). Pure: bytes and `now` in, outcome out.

import type { FrameReader, Sighting } from "../answering/frame-reader.ts";
import { answerOf, type Grants, type Tenure } from "../answering/grants.ts";
import type { FrameOutcome } from "../answering/outcome.ts";
import { FRAME_OUTCOMES } from "../answering/outcome.ts";
import type { AddressKey } from "../core/address-key.ts";
import { ipv6KeyAt } from "../core/address-key.ts";
import { isAt } from "../core/bytes.ts";
import { ipv6At } from "../core/ipv6-bytes.ts";
import type { Mac } from "../core/mac.ts";
import { macAt, macToBytes } from "../core/mac.ts";
import type { BootMs } from "../core/time.ts";
import { Askers } from "./askers.ts";
import {
  encodeReply,
  isGroupOf,
  isSolicited,
  isUnspecified,
  linkLayerOffset,
  type MalformedReason,
  malformedReason,
  NDP_FRAME_BYTES,
  OFFSET,
  TYPE,
} from "./wire.ts";

/** Every outcome; each is a counter. */
export const NDP_OUTCOMES = [
  ...FRAME_OUTCOMES,
  /** One host asked too often: others are answered still. */
  "rate-limited",
  "malformed-short",
  "malformed-oversized",
  "malformed-ethertype",
  "malformed-ip-version",
  "malformed-next-header",
  "malformed-lengths",
  "malformed-hop-limit",
  "malformed-checksum",
  "malformed-operation",
  "malformed-sender",
  "malformed-target",
  "malformed-options",
  "malformed-probe",
  "malformed-flags",
] as const;

export type NdpOutcome = FrameOutcome | "rate-limited" | MalformedReason;
// Every reason of the codec is an outcome; this does not compile while one is missing.
type _AllReasons = MalformedReason extends (typeof NDP_OUTCOMES)[number] ? true : never;
export const ALL_REASONS_ARE_OUTCOMES: _AllReasons = true;

/** Looks at the frames of Neighbor Discovery that one interface received. */
export class NdpReader implements FrameReader {
  readonly replyBytes = NDP_FRAME_BYTES;
  readonly #grants: Grants;
  readonly #on: { readonly name: string; readonly tenure: Tenure };
  readonly #mac: Uint8Array;
  readonly #askers = new Askers();

  constructor(grants: Grants, about: { readonly name: string; readonly mac: Mac }) {
    this.#grants = grants;
    this.#on = { name: about.name, tenure: grants.tenureOn(about.name) };
    this.#mac = macToBytes(about.mac);
  }

  look(frame: Uint8Array, length: number, now: BootMs): NdpOutcome {
    const malformed = malformedReason(frame, length);
    if (malformed !== null) return malformed;
    if (this.#isOwn(frame, OFFSET.source)) return "own-frame";
    const isRequest = frame[OFFSET.type] === TYPE.solicitation;
    // What others say of the addresses is no conflict while they are to say it.
    if (this.#grants.isMuted) return isRequest ? "muted" : "not-request";
    const user = isRequest ? OFFSET.sourceIp : OFFSET.target;
    if (this.#grants.isGranted(ipv6KeyAt(frame, user)) && !this.#isOwn(frame, macOffset(frame))) {
      return !isRequest && isSolicited(frame) ? "heard-reply" : "heard-announcement";
    }
    if (!isRequest) return "not-request";
    return this.#lookAtRequest(frame, now);
  }

  reply(frame: Uint8Array, out: Uint8Array): void {
    const grant = this.#grants.grantOf(ipv6KeyAt(frame, OFFSET.target));
    const target = grant?.macs.get(this.#on.name) ?? this.#mac;
    encodeReply(frame, { source: this.#mac, target }, out);
  }

  askedFor(frame: Uint8Array): AddressKey {
    return ipv6KeyAt(frame, OFFSET.target);
  }

  askerOf(frame: Uint8Array): Mac {
    return macAt(frame, macOffset(frame));
  }

  toldBy(frame: Uint8Array): Sighting {
    const isRequest = frame[OFFSET.type] === TYPE.solicitation;
    const address = ipv6At(frame, isRequest ? OFFSET.sourceIp : OFFSET.target);
    return { address, mac: macAt(frame, macOffset(frame)) };
  }

  usedBy(frame: Uint8Array): AddressKey {
    return ipv6KeyAt(frame, useOffset(frame));
  }

  useOf(frame: Uint8Array): Sighting {
    return { address: ipv6At(frame, useOffset(frame)), mac: macAt(frame, macOffset(frame)) };
  }

  #lookAtRequest(frame: Uint8Array, now: BootMs): NdpOutcome {
    const grant = this.#grants.grantOf(ipv6KeyAt(frame, OFFSET.target));
    if (grant === undefined) return "not-ours";
    if (!this.#isForTarget(frame)) return "wrong-destination";
    const answer = answerOf(grant, this.#on, now);
    if (answer === "wrong-interface" || answer === "tenure-lapsed") return answer;
    return this.#askers.admit(frame, OFFSET.source, now) ? answer : "rate-limited";
  }

  /**
   * To the group of the target, or (RFC 4861 section 7.3.1) to the target itself; in a frame to
   * that group, or to this host, as some switches and access points make of the former.
   */
  #isForTarget(frame: Uint8Array): boolean {
    const isToGroup = isGroupOf(frame, OFFSET.destinationIp, OFFSET.target);
    if (!isToGroup && !isSame(frame, OFFSET.destinationIp, OFFSET.target)) return false;
    return this.#isOwn(frame, OFFSET.destination) || (isToGroup && isGroupFrame(frame));
  }

  #isOwn(frame: Uint8Array, offset: number): boolean {
    return isAt(frame, offset, this.#mac);
  }
}

/** Where the MAC is that the message tells, or that it was sent from. */
function macOffset(frame: Uint8Array): number {
  return linkLayerOffset(frame) ?? OFFSET.source;
}

/** RFC 4862 section 5.4.3: who asks without a source is about to use the target. */
function useOffset(frame: Uint8Array): number {
  const isRequest = frame[OFFSET.type] === TYPE.solicitation;
  return isRequest && !isUnspecified(frame, OFFSET.sourceIp) ? OFFSET.sourceIp : OFFSET.target;
}

function isSame(frame: Uint8Array, a: number, b: number): boolean {
  for (let i = 0; i < 16; i++) if (frame[a + i] !== frame[b + i]) return false;
  return true;
}

/** RFC 2464 section 7: 33:33 and the last four bytes of the group. */
function isGroupFrame(frame: Uint8Array): boolean {
  if (frame[OFFSET.destination] !== 0x33 || frame[OFFSET.destination + 1] !== 0x33) return false;
  for (let i = 0; i < 4; i++) {
    const group = frame[OFFSET.destinationIp + 12 + i];
    if (frame[OFFSET.destination + 2 + i] !== group) return false;
  }
  return true;
}

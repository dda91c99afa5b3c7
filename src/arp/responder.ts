// Decides what one received ARP frame means for this node: exactly one named outcome a frame, and a
// reply only where the tenure allows it at this moment. Pure: bytes and `now` in, outcome out.
//
// Not guaranteed: a reply that was handed to the kernel cannot be taken back, and no host can
// correct another's neighbour cache.

import type { Ip } from "../core/address.ts";
import { ipv4FromNumber, ipv4ToNumber } from "../core/address.ts";
import { read16, read32, readInt32 } from "../core/bytes.ts";
import type { Mac } from "../core/mac.ts";
import { macAt, macToBytes } from "../core/mac.ts";
import type { BootMs } from "../core/time.ts";
import { encodeReply, type MalformedReason, malformedReason, OFFSET, OPERATION } from "./wire.ts";

/** Every outcome; each is a counter. */
export const OUTCOMES = [
  "answered",
  /** Answered in place of an owner that restarts, with its MAC. */
  "stood-in",
  "not-ours",
  "not-request",
  "tenure-lapsed",
  /** A request, and nothing at all is answered for now. */
  "muted",
  "wrong-interface",
  "wrong-destination",
  "own-frame",
  "heard-announcement",
  "heard-reply",
  "malformed-short",
  "malformed-oversized",
  "malformed-ethertype",
  "malformed-hardware-type",
  "malformed-protocol-type",
  "malformed-lengths",
  "malformed-operation",
  "malformed-sender",
] as const;

export type Outcome = (typeof OUTCOMES)[number];
// Every reason of the codec is an outcome; this does not compile while one is missing.
type _AllReasons = MalformedReason extends Outcome ? true : never;
export const ALL_REASONS_ARE_OUTCOMES: _AllReasons = true;

/** Whether another host was heard that claims an address which is granted here. */
export function isHeard(outcome: Outcome): boolean {
  return outcome === "heard-announcement" || outcome === "heard-reply";
}

/** Another host sent it, for whatever purpose: it uses the address that it names as its own. */
export const OF_OTHERS: ReadonlySet<Outcome> = new Set(
  OUTCOMES.filter((outcome) => {
    return outcome !== "own-frame" && !isHeard(outcome) && !outcome.startsWith("malformed");
  }),
);

/** Another host claimed an address that is granted here. */
export interface Heard {
  readonly address: Ip;
  readonly mac: Mac;
}

interface Grant {
  readonly address: Ip;
  /** By interface: whose MAC the answer has; null: this host's. */
  readonly macs: ReadonlyMap<string, Uint8Array | null>;
}

/** Nothing is answered from `until` on. */
interface Tenure {
  until: BootMs;
}

/** An IPv4 address as `readInt32` reads it from a frame. */
export function addressKey(address: Ip): number {
  return ipv4ToNumber(address) | 0;
}

export class ArpResponder {
  /** Somebody else answers from this host: nothing is answered or announced by this. */
  isMuted = false;
  readonly #grants = new Map<number, Grant>();
  /** Beside the grants: nothing is owned by them. */
  readonly #standIns = new Map<number, Grant>();
  /** By interface: shared with who looks at its frames. */
  readonly #tenures = new Map<string, Tenure>();

  /** Allows answering for `address` on `interfaces` while the tenure lasts. */
  grant(address: Ip, interfaces: readonly string[]): void {
    const macs = new Map(interfaces.map((name) => [name, null]));
    this.#grants.set(addressKey(address), { address, macs });
  }

  /** Answers on the interface for the host with that MAC, if this one may speak; null: no more. */
  standIn(address: Ip, interfaceName: string, mac: Mac | null): void {
    const key = addressKey(address);
    const macs = new Map(this.#standIns.get(key)?.macs);
    if (mac === null) macs.delete(interfaceName);
    else macs.set(interfaceName, macToBytes(mac));
    if (macs.size === 0) this.#standIns.delete(key);
    else this.#standIns.set(key, { address, macs });
  }

  revoke(address: Ip): void {
    this.#grants.delete(addressKey(address));
  }

  /** The end of the tenure of every grant on the interface. */
  setTenure(interfaceName: string, until: BootMs): void {
    this.#tenureOn(interfaceName).until = until;
  }

  /** True when `address` may be announced on the interface now. */
  maySpeak(address: Ip, interfaceName: string, now: BootMs): boolean {
    const grant = this.#grants.get(addressKey(address));
    if (this.isMuted || grant?.macs.has(interfaceName) !== true) return false;
    return this.hasTenure(interfaceName, now);
  }

  /** The MAC that a request on the interface would get now, or null: none from this host. */
  standsInWith(address: Ip, interfaceName: string, now: BootMs): Uint8Array | null {
    const mac = this.#standIns.get(addressKey(address))?.macs.get(interfaceName) ?? null;
    return !this.isMuted && this.hasTenure(interfaceName, now) ? mac : null;
  }

  grants(): { address: Ip; interfaces: string[] }[] {
    return [...this.#grants.values()].map(({ address, macs }) => ({
      address,
      interfaces: [...macs.keys()],
    }));
  }

  /** One responder serves all interfaces: this one looks at the frames of `name`. */
  onInterface(name: string, mac: Mac): InterfaceResponder {
    return new InterfaceResponder(this, { name, mac, tenure: this.#tenureOn(name) });
  }

  hasTenure(interfaceName: string, now: BootMs): boolean {
    return now < this.#tenureOn(interfaceName).until;
  }

  #tenureOn(interfaceName: string): Tenure {
    let tenure = this.#tenures.get(interfaceName);
    if (tenure === undefined) {
      tenure = { until: Number.NEGATIVE_INFINITY as BootMs };
      this.#tenures.set(interfaceName, tenure);
    }
    return tenure;
  }

  /** @internal */
  isGranted(key: number): boolean {
    return this.#grants.has(key | 0);
  }

  /** @internal */
  grantOf(key: number): Grant | undefined {
    return this.#grants.get(key) ?? this.#standIns.get(key);
  }
}

/** Looks at the frames that one interface received. */
export class InterfaceResponder {
  readonly #responder: ArpResponder;
  readonly #name: string;
  readonly #mac: Uint8Array;
  readonly #tenure: Tenure;

  constructor(
    responder: ArpResponder,
    about: { readonly name: string; readonly mac: Mac; readonly tenure: Tenure },
  ) {
    this.#responder = responder;
    this.#name = about.name;
    this.#mac = macToBytes(about.mac);
    this.#tenure = about.tenure;
  }

  /**
   * The outcome of one frame of `length` bytes. `now` must be the boot clock read for this frame.
   * When it is `answered` or `stood-in`, the caller obtains the frame to send with `reply`.
   */
  look(frame: Uint8Array, length: number, now: BootMs): Outcome {
    const malformed = malformedReason(frame, length);
    if (malformed !== null) return malformed;
    if (this.#isOwn(frame, OFFSET.source)) return "own-frame";
    const sender = readInt32(frame, OFFSET.senderIp);
    const target = readInt32(frame, OFFSET.targetIp);
    const isRequest = read16(frame, OFFSET.operation) === OPERATION.request;
    // What others say of the addresses is no conflict while they are to say it.
    if (this.#responder.isMuted) return isRequest ? "muted" : "not-request";
    if (this.#responder.isGranted(sender) && !this.#isOwn(frame, OFFSET.senderMac)) {
      return isRequest || sender === target ? "heard-announcement" : "heard-reply";
    }
    if (!isRequest) return "not-request";
    return this.#lookAtRequest(frame, target, now);
  }

  /** Writes the reply to a frame whose outcome was `answered` or `stood-in`. */
  reply(frame: Uint8Array, out: Uint8Array): void {
    const grant = this.#responder.grantOf(readInt32(frame, OFFSET.targetIp));
    const sender = grant?.macs.get(this.#name) ?? this.#mac;
    encodeReply(frame, { source: this.#mac, sender }, out);
  }

  /** Who was heard, for a frame whose outcome was `heard-...`. */
  heard(frame: Uint8Array): Heard {
    const address = ipv4FromNumber(read32(frame, OFFSET.senderIp));
    return { address, mac: macAt(frame, OFFSET.senderMac) };
  }

  #lookAtRequest(frame: Uint8Array, target: number, now: BootMs): Outcome {
    const grant = this.#responder.grantOf(target);
    if (grant === undefined) return "not-ours";
    if (!isBroadcast(frame) && !this.#isOwn(frame, OFFSET.destination)) return "wrong-destination";
    const mac = grant.macs.get(this.#name);
    if (mac === undefined) return "wrong-interface";
    if (now >= this.#tenure.until) return "tenure-lapsed";
    return mac === null ? "answered" : "stood-in";
  }

  #isOwn(frame: Uint8Array, offset: number): boolean {
    for (let i = 0; i < 6; i++) {
      if (frame[offset + i] !== this.#mac[i]) return false;
    }
    return true;
  }
}

function isBroadcast(frame: Uint8Array): boolean {
  for (let i = 0; i < 6; i++) {
    if (frame[OFFSET.destination + i] !== 0xff) return false;
  }
  return true;
}

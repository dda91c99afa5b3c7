// The work of the responder thread: sockets on one side, messages on the other, the pure responder
// and announcer between. It waits for nothing but frames, messages and its own timer.

import { Announcer } from "../arp/announcer.ts";
import type { FrameBatch, FrameSocket, FrameSocketOptions } from "../arp/packet-socket.ts";
import type { InterfaceResponder, Outcome } from "../arp/responder.ts";
import { ArpResponder, addressKey, OUTCOMES } from "../arp/responder.ts";
import { announcements, encodeArp, OFFSET, readInt32 } from "../arp/wire.ts";
import type { Ip, IpRange } from "../core/address.ts";
import type { AppError } from "../core/errors.ts";
import { errorText } from "../core/errors.ts";
import { macAt } from "../core/mac.ts";
import type { BootMs } from "../core/time.ts";
import { after } from "../core/time.ts";
import type {
  AnsweringInterface,
  FromResponder,
  LastAnswer,
  ResponderReport,
  ToResponder,
} from "./responder-messages.ts";

export interface ResponderPorts {
  readonly openSocket: (options: FrameSocketOptions) => FrameSocket;
  readonly now: () => BootMs;
  readonly post: (message: FromResponder) => void;
  /** Calls `wake` in that many milliseconds; a later call replaces the one before. */
  readonly wakeIn: (milliseconds: number | null) => void;
}

/** A socket that could not be opened is tried again after this. */
const REOPEN_MS = 1_000;
/** One that was open is tried sooner: its interface may have been down for a moment only. */
const REOPEN_BROKEN_MS = 20;
/** The main thread is told of another host at most once in this time for an address. */
const HEARD_REPORT_MS = 200;

interface AnswerCount {
  readonly address: Ip;
  count: number;
  last: LastAnswer | null;
}

interface OpenInterface {
  readonly about: AnsweringInterface;
  readonly responder: InterfaceResponder;
  socket: FrameSocket | null;
  reopenAt: BootMs;
  problem: string | null;
}

export class ResponderLoop {
  readonly #ports: ResponderPorts;
  readonly #responder = new ArpResponder();
  readonly #announcer = new Announcer();
  readonly #interfaces = new Map<string, OpenInterface>();
  readonly #counters: Record<string, number> = {};
  /** By `addressKey`. */
  readonly #answered = new Map<number, AnswerCount>();
  readonly #heardAt = new Map<Ip, BootMs>();
  #ranges: readonly IpRange[] = [];
  /** Slots reserved on the socket in use; every use of a socket ends with a flush. */
  #reserved = 0;

  constructor(ports: ResponderPorts) {
    this.#ports = ports;
    for (const outcome of OUTCOMES) this.#counters[outcome] = 0;
    for (const name of ["sent", "send-failed", "announced"]) this.#counters[name] = 0;
  }

  receive(message: ToResponder): void {
    switch (message.type) {
      case "interfaces":
        this.#setInterfaces(message.interfaces);
        break;
      case "ranges":
        this.#ranges = message.ranges;
        for (const { socket } of this.#interfaces.values()) socket?.setRanges(message.ranges);
        break;
      case "grant":
        this.#responder.grant(message.address, message.interfaces);
        this.#startCount(message.address);
        break;
      case "revoke":
        this.#responder.revoke(message.address);
        this.#announcer.stop(message.address);
        this.#answered.delete(addressKey(message.address));
        this.#heardAt.delete(message.address);
        break;
      case "tenure":
        this.#responder.setTenure(message.until);
        break;
      case "announce":
        this.#announcer.start(message.address, this.#ports.now());
        break;
      case "report":
        this.#ports.post({ type: "report", report: this.#report() });
        return;
      case "stop":
        for (const { socket } of this.#interfaces.values()) socket?.close();
        this.#interfaces.clear();
        this.#ports.wakeIn(null);
        return;
    }
    this.wake();
  }

  /** Sends what is due and opens what was closed; called by the timer and after every message. */
  wake(): void {
    const now = this.#ports.now();
    for (const open of this.#interfaces.values()) {
      if (open.socket === null && now >= open.reopenAt) this.#open(open, now);
    }
    this.#announce(this.#announcer.take(now), now);
    const reopenAt = [...this.#interfaces.values()]
      .filter((open) => open.socket === null)
      .map((open) => open.reopenAt);
    const next = Math.min(this.#announcer.nextDeadline(), ...reopenAt);
    this.#ports.wakeIn(Number.isFinite(next) ? Math.max(0, next - now) : null);
  }

  #startCount(address: Ip): void {
    const key = addressKey(address);
    if (!this.#answered.has(key)) this.#answered.set(key, { address, count: 0, last: null });
  }

  #setInterfaces(wanted: readonly AnsweringInterface[]): void {
    const now = this.#ports.now();
    const key = (about: AnsweringInterface): string => `${about.name} ${about.index} ${about.mac}`;
    const wantedKeys = new Set(wanted.map(key));
    for (const [name, open] of this.#interfaces) {
      if (wantedKeys.has(key(open.about))) continue;
      open.socket?.close();
      this.#interfaces.delete(name);
    }
    for (const about of wanted) {
      if (this.#interfaces.has(about.name)) continue;
      const responder = this.#responder.onInterface(about.name, about.mac);
      const open = { about, responder, socket: null, reopenAt: now, problem: null };
      this.#interfaces.set(about.name, open);
    }
  }

  #open(open: OpenInterface, now: BootMs): void {
    const onError = (error: AppError): void => {
      open.socket = null;
      open.problem = error.message;
      open.reopenAt = after(this.#ports.now(), REOPEN_BROKEN_MS);
      this.wake();
    };
    try {
      open.socket = this.#ports.openSocket({
        interfaceIndex: open.about.index,
        ranges: this.#ranges,
        onFrames: (batch) => this.#onFrames(open, batch),
        onError,
      });
      open.problem = null;
    } catch (thrown) {
      open.problem = errorText(thrown);
      open.reopenAt = after(now, REOPEN_MS);
      return;
    }
    // Neighbours may have learnt something else while nobody listened here.
    for (const { address, interfaces } of this.#responder.grants()) {
      if (interfaces.includes(open.about.name)) this.#announcer.start(address, now);
    }
  }

  #onFrames(open: OpenInterface, batch: FrameBatch): void {
    for (let i = 0; i < batch.count; i++) {
      const frame = batch.frames[i];
      if (frame === undefined) break;
      const now = this.#ports.now();
      const outcome = open.responder.look(frame, batch.lengths[i] ?? 0, now);
      this.#counters[outcome] = (this.#counters[outcome] ?? 0) + 1;
      if (outcome === "answered") this.#answer(open, frame, now);
      else if (isHeard(outcome)) this.#heard(open, frame, now);
    }
    this.#flush(open);
  }

  #answer(open: OpenInterface, frame: Uint8Array, now: BootMs): void {
    const out = this.#reserve(open);
    if (out === null) return;
    open.responder.reply(frame, out);
    const stats = this.#answered.get(readInt32(frame, OFFSET.targetIp));
    if (stats === undefined) return;
    stats.count += 1;
    // One address in text a second is enough for people; the hot path stays free of it.
    if (stats.last !== null && now - stats.last.at < 1_000) return;
    const to = macAt(frame, OFFSET.senderMac);
    stats.last = { at: now, to, interface: open.about.name };
  }

  #heard(open: OpenInterface, frame: Uint8Array, now: BootMs): void {
    const { address, mac } = open.responder.heard(frame);
    const isOwnInterface = [...this.#interfaces.values()].some((other) => other.about.mac === mac);
    if (isOwnInterface || now < (this.#heardAt.get(address) ?? now)) return;
    this.#heardAt.set(address, after(now, HEARD_REPORT_MS));
    this.#ports.post({ type: "heard", address, interface: open.about.name, mac });
  }

  #announce(addresses: readonly Ip[], now: BootMs): void {
    if (addresses.length === 0) return;
    for (const open of this.#interfaces.values()) {
      for (const address of addresses) {
        if (!this.#responder.maySpeak(address, open.about.name, now)) continue;
        for (const packet of announcements(address, open.about.mac)) {
          const out = this.#reserve(open);
          if (out !== null) encodeArp(packet, out);
        }
        this.#counters.announced = (this.#counters.announced ?? 0) + 1;
      }
      this.#flush(open);
    }
  }

  /** A slot to write a frame into; a full batch is sent first. */
  #reserve(open: OpenInterface): Uint8Array | null {
    const slot = open.socket?.reserve() ?? null;
    if (slot !== null) {
      this.#reserved += 1;
      return slot;
    }
    this.#flush(open);
    const again = open.socket?.reserve() ?? null;
    if (again !== null) this.#reserved += 1;
    return again;
  }

  #flush(open: OpenInterface): void {
    if (this.#reserved === 0) return;
    const sent = open.socket?.flush() ?? 0;
    this.#counters.sent = (this.#counters.sent ?? 0) + sent;
    this.#counters["send-failed"] = (this.#counters["send-failed"] ?? 0) + this.#reserved - sent;
    this.#reserved = 0;
  }

  #report(): ResponderReport {
    const vips = [...this.#answered.values()].map(({ address, count, last }) => ({
      address,
      answered: count,
      lastAnswer: last,
    }));
    const problems = [...this.#interfaces.values()].flatMap((open) =>
      open.problem === null ? [] : [{ interface: open.about.name, message: open.problem }],
    );
    return { counters: { ...this.#counters }, vips, problems };
  }
}

function isHeard(outcome: Outcome): boolean {
  return outcome === "heard-announcement" || outcome === "heard-reply";
}

// What is done about the frames that came in: answered, counted, remembered, and told to whoever
// waits for what they say. A part of the responder thread's loop, apart for its length.

import type { FrameReader, Sighting } from "../answering/frame-reader.ts";
import type { FrameBatch } from "../answering/frame-socket.ts";
import { isHeard, isOfOthers } from "../answering/outcome.ts";
import type { Ip } from "../core/address.ts";
import { type AddressKey, addressKey } from "../core/address-key.ts";
import { type Mac, macAt } from "../core/mac.ts";
import type { BootMs } from "../core/time.ts";
import { after } from "../core/time.ts";
import type { FrameLog } from "./frame-log.ts";
import type { Channel, OpenInterface } from "./open-interface.ts";
import type { ResponderPorts } from "./responder-ports.ts";
import type { AnswerCount } from "./responder-report.ts";
import type { WireQuestions } from "./wire-questions.ts";

/** Offset in every frame (IEEE 802.3). */
const ETHERNET_SOURCE = 6;
/** The main thread is told of another host at most once in this time for an address. */
const HEARD_REPORT_MS = 200;
/** One address in text a second is enough for people; the hot path stays free of it. */
const LAST_ANSWER_MS = 1_000;

export interface ReceivedFramesOptions {
  readonly ports: ResponderPorts;
  readonly log: FrameLog;
  readonly questions: WireQuestions;
  readonly isOwnMac: (mac: Mac) => boolean;
}

export class ReceivedFrames {
  readonly #options: ReceivedFramesOptions;
  readonly #answered = new Map<AddressKey, AnswerCount>();
  readonly #heardAt = new Map<Ip, BootMs>();

  constructor(options: ReceivedFramesOptions) {
    this.#options = options;
  }

  /** Answers for the address are counted from now on. */
  begin(address: Ip): void {
    const key = addressKey(address);
    if (this.#answered.has(key)) return;
    this.#answered.set(key, { address, count: 0, last: null, announced: 0 });
  }

  forget(address: Ip): void {
    this.#answered.delete(addressKey(address));
    this.#heardAt.delete(address);
  }

  counts(): Iterable<AnswerCount> {
    return this.#answered.values();
  }

  countOf(address: Ip): AnswerCount | undefined {
    return this.#answered.get(addressKey(address));
  }

  take(open: OpenInterface, channel: Channel, batch: FrameBatch): void {
    const { ports, log, questions } = this.#options;
    const { use, reader } = channel;
    const { name } = open.about;
    for (let i = 0; i < batch.count; i++) {
      const frame = batch.frames[i];
      if (frame === undefined) break;
      const now = ports.now();
      const length = batch.lengths[i] ?? 0;
      const outcome = reader.look(frame, length, now);
      log.frame(frame, length, outcome, name, now);
      use.counters[outcome] = (use.counters[outcome] ?? 0) + 1;
      if (outcome === "answered") this.#answer(name, channel, frame, now);
      else if (outcome === "stood-in") this.#reply(channel, frame);
      else if (outcome === "not-request") this.#noteAnswer(name, reader, frame, now);
      else if (isHeard(outcome)) this.#heard(name, reader.toldBy(frame), now);
      if (isOfOthers(outcome)) questions.onUse(reader, frame, name, now);
    }
    use.sender.flush(channel.socket);
  }

  #answer(name: string, channel: Channel, frame: Uint8Array, now: BootMs): void {
    if (!this.#reply(channel, frame)) return;
    const stats = this.#answered.get(channel.reader.askedFor(frame));
    if (stats === undefined) return;
    stats.count += 1;
    if (stats.last !== null && now - stats.last.at < LAST_ANSWER_MS) return;
    stats.last = { at: now, to: channel.reader.askerOf(frame), interface: name };
  }

  #reply({ use, reader, socket }: Channel, frame: Uint8Array): boolean {
    const out = use.sender.reserve(socket, reader.replyBytes);
    if (out === null) return false;
    reader.reply(frame, out);
    return true;
  }

  /** Perhaps the answer to a probe; who stands in for another sends it from its own MAC. */
  #noteAnswer(name: string, reader: FrameReader, frame: Uint8Array, now: BootMs): void {
    const told = reader.toldBy(frame);
    this.#options.questions.onReply(told, name);
    const mac = macAt(frame, ETHERNET_SOURCE);
    this.#options.ports.engine.answered(name, told.address, mac, now);
  }

  #heard(name: string, { address, mac }: Sighting, now: BootMs): void {
    if (this.#options.isOwnMac(mac) || now < (this.#heardAt.get(address) ?? now)) return;
    this.#heardAt.set(address, after(now, HEARD_REPORT_MS));
    this.#options.ports.post({ type: "heard", address, interface: name, mac });
  }
}

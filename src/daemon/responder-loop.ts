// The work of the responder thread: sockets on one side, messages on the other, the pure responder
// and announcer between. It waits for nothing but frames, messages and its own timer.

import { Announcer } from "../arp/announcer.ts";
import type { FrameBatch } from "../arp/packet-socket.ts";
import { ArpResponder, addressKey, isHeard, OF_OTHERS, OUTCOMES } from "../arp/responder.ts";
import { announcements, encodeArp, OFFSET, probe } from "../arp/wire.ts";
import type { EngineEffect } from "../beacon/engine-types.ts";
import type { Ip, IpRange } from "../core/address.ts";
import { ipv4FromNumber, prefixOf } from "../core/address.ts";
import { read32, readInt32 } from "../core/bytes.ts";
import type { AppError } from "../core/errors.ts";
import { errorText } from "../core/errors.ts";
import { type Mac, macAt } from "../core/mac.ts";
import type { BootMs } from "../core/time.ts";
import { after } from "../core/time.ts";
import { commandText, newsText } from "./decision-text.ts";
import { FrameLog } from "./frame-log.ts";
import { FrameSender } from "./frame-sender.ts";
import { newInterface, type OpenInterface } from "./open-interface.ts";
import type { AnsweringInterface, ToResponder } from "./responder-messages.ts";
import type { ResponderPorts } from "./responder-ports.ts";
import { type AnswerCount, reportOf } from "./responder-report.ts";
import { segmentsOf } from "./segments-of.ts";
import { WireQuestions } from "./wire-questions.ts";

/** A socket that could not be opened is tried again after this. */
const REOPEN_MS = 1_000;
/** One that was open is tried sooner: its interface may have been down for a moment only. */
const REOPEN_BROKEN_MS = 20;
/** The main thread is told of another host at most once in this time for an address. */
const HEARD_REPORT_MS = 200;

export class ResponderLoop {
  readonly #ports: ResponderPorts;
  readonly #responder = new ArpResponder();
  readonly #announcer = new Announcer();
  readonly #questions: WireQuestions;
  readonly #sender = new FrameSender();
  readonly #log = new FrameLog();
  readonly #interfaces = new Map<string, OpenInterface>();
  readonly #counters: Record<string, number> = {};
  /** By `addressKey`. */
  readonly #answered = new Map<number, AnswerCount>();
  readonly #heardAt = new Map<Ip, BootMs>();
  readonly #beaconProblems = new Map<string, string>();
  #ranges: readonly IpRange[] = [];

  constructor(ports: ResponderPorts) {
    this.#ports = ports;
    this.#questions = new WireQuestions({
      send: (name, addresses) => this.#probe(name, addresses, null),
      post: (message) => ports.post(message),
    });
    for (const outcome of [...OUTCOMES, "announced"]) this.#counters[outcome] = 0;
  }

  /** In order; what follows from all of them is done at the end. */
  receive(...messages: readonly ToResponder[]): void {
    this.#ports.engine.mainMoved(this.#ports.now());
    for (const message of messages) {
      if (message.type === "stop") return this.#stop();
      this.#apply(message);
    }
    if (messages.some(({ type }) => type !== "report")) this.wake();
  }

  #apply(message: Exclude<ToResponder, { type: "stop" }>): void {
    const { engine, now } = this.#ports;
    this.#log.decision(commandText(message), now());
    switch (message.type) {
      case "interfaces":
        return this.#setInterfaces(message.interfaces);
      case "ranges":
        this.#ranges = message.ranges;
        return this.#setFilters();
      case "grant":
        return this.#grant(message);
      case "revoke":
        return this.#revoke(message.address);
      case "beacon-keys":
        return engine.setKeys(message.sending, message.accepted, now());
      case "cluster":
        return engine.setCluster(message.cluster, now());
      case "state":
        return this.#perform(engine.setState(message.state, now()));
      case "claim":
        return this.#perform(engine.say("claim", message.entries, message.interfaces));
      case "offer":
        return this.#perform(engine.offer(message.interface, message.to, message.entries));
      case "stand-in":
        return this.#responder.standIn(message.address, message.interface, message.mac);
      case "ask":
        return this.#questions.whoOwns(message.address, message.interface, now());
      case "probe":
        return this.#questions.whoUses(message, now());
      case "unwatch":
        return this.#questions.unwatch(message.address);
      case "complain":
        return this.#perform(engine.say("complaint", message.entries, [message.interface]));
      case "withdraw":
        return this.#perform(engine.tellTable());
      case "retell":
        return this.#perform(engine.retell(message.interface, message.node, now()));
      case "probe-targets":
        return engine.setProbeTargets(message.targets);
      case "announce":
        return this.#announcer.start(message.address, now());
      case "report":
        return this.#report(message);
      case "frames":
        return this.#ports.post({ type: "frames", log: this.#log.packed() });
      case "mute":
        this.#responder.isMuted = message.isMuted;
        for (const name of this.#interfaces.keys()) this.#announceAll(name, now());
    }
  }

  #stop(): void {
    for (const { socket } of this.#interfaces.values()) socket?.close();
    this.#interfaces.clear();
    this.#ports.beacons.close();
    this.#ports.wakeIn(null);
  }

  /** Null: it works again. */
  onBeaconProblem(interfaceName: string, message: string | null): void {
    if (message === null) this.#beaconProblems.delete(interfaceName);
    else this.#beaconProblems.set(interfaceName, message);
  }

  /** A datagram of a peer, or of somebody else. */
  onDatagram(packet: { interface: string; from: Ip; bytes: Uint8Array }): void {
    this.#perform(this.#ports.engine.receive(packet.interface, packet, this.#ports.now()));
    this.#arm(this.#ports.now());
  }

  /** Sends what is due and opens what was closed; called by the timer and after every message. */
  wake(): void {
    const now = this.#ports.now();
    this.#perform(this.#ports.engine.wake(now));
    for (const open of this.#interfaces.values()) {
      if (open.socket === null && now >= open.reopenAt) this.#open(open, now);
    }
    this.#announce(this.#announcer.take(now), now);
    this.#questions.wake(now);
    this.#arm(now);
  }

  #arm(now: BootMs): void {
    const reopenAt = [...this.#interfaces.values()]
      .filter((open) => open.socket === null)
      .map((open) => open.reopenAt);
    const beaconAt = this.#ports.engine.nextDeadline();
    const workAt = Math.min(this.#announcer.nextDeadline(), this.#questions.nextDeadline());
    const next = Math.min(workAt, beaconAt, ...reopenAt);
    this.#ports.wakeIn(Number.isFinite(next) ? Math.max(0, next - now) : null);
  }

  #grant(grant: Extract<ToResponder, { type: "grant" }>): void {
    const { address, epoch, interfaces, lapses } = grant;
    const { engine, now } = this.#ports;
    if (!engine.grant(address, { epoch, interfaces, lapses }, now())) return;
    this.#responder.grant(address, interfaces);
    this.#startCount(address);
  }

  #revoke(address: Ip): void {
    this.#ports.engine.revoke(address, this.#ports.now());
    this.#responder.revoke(address);
    this.#announcer.stop(address);
    this.#answered.delete(addressKey(address));
    this.#heardAt.delete(address);
  }

  #perform(effects: readonly EngineEffect[]): void {
    for (const effect of effects) this.#performOne(effect);
  }

  #performOne(effect: EngineEffect): void {
    switch (effect.type) {
      case "send": {
        const { interface: name, to, bytes, sentAt } = effect;
        const { beacons, engine, now } = this.#ports;
        beacons.send(name, to, bytes, (isSent) => {
          if (isSent && sentAt !== null) this.#perform(engine.sent(name, sentAt, now()));
        });
        return;
      }
      case "tenure":
        return this.#onTenure(effect);
      case "watch-hosts": {
        const open = this.#interfaces.get(effect.interface);
        if (open === undefined) return;
        open.watchedHosts = effect.addresses;
        return open.socket?.setRanges(this.#rangesOn(open));
      }
      case "probe":
        return void this.#probe(effect.interface, [effect.address], effect.to);
      case "tell":
        this.#log.decision(newsText(effect.news), this.#ports.now());
        if (effect.news.type === "lapsed") this.#dropGrants(effect.news.interface);
        return this.#ports.post({ type: "peer", news: effect.news });
    }
  }

  /** `to` null: everybody. False: not all could be sent. */
  #probe(interfaceName: string, addresses: readonly Ip[], to: Mac | null): boolean {
    const open = this.#interfaces.get(interfaceName);
    if (open === undefined) return false;
    let isSent = true;
    for (const address of addresses) {
      const out = this.#sender.reserve(open.socket);
      if (out === null) isSent = false;
      else encodeArp(probe(address, open.about.mac, to), out);
    }
    this.#sender.flush(open.socket);
    return isSent;
  }

  /** What was granted before its tenure began could not be announced. */
  #onTenure({ interface: name, until }: Extract<EngineEffect, { type: "tenure" }>): void {
    const now = this.#ports.now();
    const hasBegun = !this.#responder.hasTenure(name, now);
    this.#responder.setTenure(name, until);
    if (!hasBegun) return;
    this.#log.decision(`tenure begins on ${name}`, now);
    this.#announceAll(name, now);
  }

  #announceAll(interfaceName: string, now: BootMs): void {
    for (const { address, interfaces } of this.#responder.grants()) {
      if (interfaces.includes(interfaceName)) this.#announcer.start(address, now);
    }
  }

  #dropGrants(interfaceName: string): void {
    for (const { address, interfaces } of this.#responder.grants()) {
      if (interfaces.includes(interfaceName)) this.#revoke(address);
    }
  }

  /** The gateways' answers are wanted, too: they tell which side of a split this node is on. */
  #setFilters(): void {
    for (const open of this.#interfaces.values()) open.socket?.setRanges(this.#rangesOn(open));
  }

  #rangesOn({ about, watchedHosts }: OpenInterface): readonly IpRange[] {
    const others = about.gateway === null ? watchedHosts : [about.gateway, ...watchedHosts];
    return [...this.#ranges, ...others.map((address) => prefixOf(address, 32))];
  }

  #startCount(address: Ip): void {
    const key = addressKey(address);
    if (this.#answered.has(key)) return;
    this.#answered.set(key, { address, count: 0, last: null, announced: 0 });
  }

  #setInterfaces(wanted: readonly AnsweringInterface[]): void {
    const now = this.#ports.now();
    const key = (about: AnsweringInterface): string =>
      `${about.name} ${about.index} ${about.mac} ${about.gateway}`;
    const wantedKeys = new Set(wanted.map(key));
    // The engine tells them once: a gateway that changes is no news to it.
    const watched = new Map([...this.#interfaces].map(([name, open]) => [name, open.watchedHosts]));
    for (const open of this.#interfaces.values()) {
      if (wantedKeys.has(key(open.about))) continue;
      open.socket?.close();
      this.#interfaces.delete(open.about.name);
    }
    for (const about of wanted) {
      if (this.#interfaces.has(about.name)) continue;
      const responder = this.#responder.onInterface(about.name, about.mac);
      const since = { reopenAt: now, watchedHosts: watched.get(about.name) ?? [] };
      this.#interfaces.set(about.name, newInterface(about, responder, since));
    }
    this.#setSegments(wanted, now);
  }

  #setSegments(wanted: readonly AnsweringInterface[], now: BootMs): void {
    const { sockets, segments } = segmentsOf(wanted);
    this.#ports.beacons.setSegments(sockets);
    this.#perform(this.#ports.engine.setSegments(segments, now));
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
        ranges: this.#rangesOn(open),
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
    this.#announceAll(open.about.name, now);
  }

  #onFrames(open: OpenInterface, batch: FrameBatch): void {
    for (let i = 0; i < batch.count; i++) {
      const frame = batch.frames[i];
      if (frame === undefined) break;
      const now = this.#ports.now();
      const length = batch.lengths[i] ?? 0;
      const outcome = open.responder.look(frame, length, now);
      this.#log.frame(frame, length, outcome, open.about.name, now);
      this.#counters[outcome] = (this.#counters[outcome] ?? 0) + 1;
      if (outcome === "answered") this.#answer(open, frame, now);
      else if (outcome === "stood-in") this.#reply(open, frame);
      else if (outcome === "not-request") this.#noteAnswer(open, frame, now);
      else if (isHeard(outcome)) this.#heard(open, frame, now);
      if (OF_OTHERS.has(outcome)) this.#questions.onUse(frame, open.about.name, now);
    }
    this.#sender.flush(open.socket);
  }

  #answer(open: OpenInterface, frame: Uint8Array, now: BootMs): void {
    if (!this.#reply(open, frame)) return;
    const stats = this.#answered.get(readInt32(frame, OFFSET.targetIp));
    if (stats === undefined) return;
    stats.count += 1;
    // One address in text a second is enough for people; the hot path stays free of it.
    if (stats.last !== null && now - stats.last.at < 1_000) return;
    const to = macAt(frame, OFFSET.senderMac);
    stats.last = { at: now, to, interface: open.about.name };
  }

  #reply(open: OpenInterface, frame: Uint8Array): boolean {
    const out = this.#sender.reserve(open.socket);
    if (out === null) return false;
    open.responder.reply(frame, out);
    return true;
  }

  /** Perhaps the answer to a probe; who stands in for another sends it from its own MAC. */
  #noteAnswer(open: OpenInterface, frame: Uint8Array, now: BootMs): void {
    const address = ipv4FromNumber(read32(frame, OFFSET.senderIp));
    const mac = macAt(frame, OFFSET.source);
    this.#questions.onReply(frame, open.about.name);
    this.#ports.engine.answered(open.about.name, address, mac, now);
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
        const stats = this.#answered.get(addressKey(address));
        for (const packet of announcements(address, open.about.mac)) {
          const out = this.#sender.reserve(open.socket);
          if (out === null) continue;
          encodeArp(packet, out);
          if (stats !== undefined) stats.announced += 1;
        }
        this.#counters.announced = (this.#counters.announced ?? 0) + 1;
      }
      this.#sender.flush(open.socket);
    }
  }

  #report({ withAnswers }: { withAnswers: boolean }): void {
    const { engine, beacons, post } = this.#ports;
    const problems = new Map(this.#beaconProblems);
    for (const { about, problem } of this.#interfaces.values())
      if (problem !== null) problems.set(about.name, problem);
    const report = reportOf({
      counters: { ...this.#counters, ...this.#sender.counters },
      answered: withAnswers ? this.#answered.values() : [],
      problems,
      beacons: beacons.counters(),
      drops: engine.drops,
      peers: engine.peers(),
      foreignClusters: engine.foreignClusters(this.#ports.now()),
    });
    post({ type: "report", report, withAnswers });
  }
}

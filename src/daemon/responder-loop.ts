// The work of the responder thread: sockets on one side, messages on the other, the pure responder
// and announcer between. It waits for nothing but frames, messages and its own timer.

import { Announcer } from "../answering/announcer.ts";
import { Grants } from "../answering/grants.ts";
import { ARP } from "../arp/protocol.ts";
import type { EngineEffect } from "../beacon/engine-types.ts";
import type { Ip, IpRange } from "../core/address.ts";
import { hostPrefix, ipFamily } from "../core/address.ts";
import type { AppError } from "../core/errors.ts";
import { errorText } from "../core/errors.ts";
import type { Mac } from "../core/mac.ts";
import type { BootMs } from "../core/time.ts";
import { after } from "../core/time.ts";
import { NDP } from "../ndp/protocol.ts";
import { commandText, newsText } from "./decision-text.ts";
import { FrameLog } from "./frame-log.ts";
import { type Channel, newInterface, type OpenInterface, ProtocolUse } from "./open-interface.ts";
import { ReceivedFrames } from "./received-frames.ts";
import type { AnsweringInterface, ToResponder } from "./responder-messages.ts";
import type { ResponderPorts } from "./responder-ports.ts";
import { problemsOf, reportOf } from "./responder-report.ts";
import { segmentsOf } from "./segments-of.ts";
import { WireQuestions } from "./wire-questions.ts";

/** A socket that could not be opened is tried again after this. */
const REOPEN_MS = 1_000;
/** One that was open is tried sooner: its interface may have been down for a moment only. */
const REOPEN_BROKEN_MS = 20;

export class ResponderLoop {
  readonly #ports: ResponderPorts;
  readonly #uses = [new ProtocolUse(ARP), new ProtocolUse(NDP)];
  readonly #grants = new Grants();
  readonly #announcer = new Announcer();
  readonly #questions: WireQuestions;
  readonly #log = new FrameLog();
  readonly #interfaces = new Map<string, OpenInterface>();
  readonly #received: ReceivedFrames;
  readonly #beaconProblems = new Map<string, string>();
  #ranges: readonly IpRange[] = [];

  constructor(ports: ResponderPorts) {
    this.#ports = ports;
    this.#questions = new WireQuestions({
      send: (name, addresses, to) => this.#probe(name, addresses, to),
      post: (message) => ports.post(message),
    });
    this.#received = new ReceivedFrames({
      ports,
      log: this.#log,
      questions: this.#questions,
      isOwnMac: (mac) => [...this.#interfaces.values()].some(({ about }) => about.mac === mac),
    });
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
        return this.#changeGrants(message.address, () =>
          this.#grants.standIn(message.address, message.interface, message.mac),
        );
      case "look":
        return this.#questions.look(message, now());
      case "ask":
        return this.#questions.whoOwns(message, now());
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
        this.#grants.isMuted = message.isMuted;
        for (const name of this.#interfaces.keys()) this.#announceAll(name, now());
    }
  }

  #stop(): void {
    for (const open of this.#interfaces.values()) closeAll(open);
    this.#interfaces.clear();
    this.#ports.beacons.close();
    this.#ports.groups.close();
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
    for (const { open, channel } of this.#closed()) {
      if (now >= channel.reopenAt) this.#open(open, channel, now);
    }
    this.#announce(this.#announcer.take(now), now);
    this.#questions.wake(now);
    this.#arm(now);
  }

  #arm(now: BootMs): void {
    const reopenAt = this.#closed().map(({ channel }) => channel.reopenAt);
    const beaconAt = this.#ports.engine.nextDeadline();
    const workAt = Math.min(this.#announcer.nextDeadline(), this.#questions.nextDeadline());
    const next = Math.min(workAt, beaconAt, ...reopenAt);
    this.#ports.wakeIn(Number.isFinite(next) ? Math.max(0, next - now) : null);
  }

  #grant(grant: Extract<ToResponder, { type: "grant" }>): void {
    const { address, epoch, interfaces, lapses } = grant;
    const { engine, now } = this.#ports;
    if (!engine.grant(address, { epoch, interfaces, lapses }, now())) return;
    this.#changeGrants(address, () => this.#grants.grant(address, interfaces));
    this.#received.begin(address);
  }

  #revoke(address: Ip): void {
    this.#ports.engine.revoke(address, this.#ports.now());
    this.#changeGrants(address, () => this.#grants.revoke(address));
    this.#announcer.stop(address);
    this.#received.forget(address);
  }

  /** The groups follow in which it is asked for. Where nothing changes no switch hears of it. */
  #changeGrants(address: Ip, change: () => void): void {
    const before = this.#grants.interfacesOf(address);
    change();
    if (ipFamily(address) !== 6) return;
    const after = this.#grants.interfacesOf(address);
    const { groups } = this.#ports;
    for (const name of after) groups.join(name, address);
    for (const name of before) if (!after.includes(name)) groups.leave(name, address);
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
        return this.#setFilter(open);
      }
      case "probe":
        return void this.#probe(effect.interface, [effect.address], effect.to);
      case "tell":
        this.#log.decision(newsText(effect.news), this.#ports.now());
        if (effect.news.type === "lapsed") this.#dropGrants(effect.news.interface);
        return this.#ports.post({ type: "peer", news: effect.news });
    }
  }

  /** Those that have no socket now. */
  #closed(): { open: OpenInterface; channel: Channel }[] {
    return [...this.#interfaces.values()].flatMap((open) =>
      open.channels.flatMap((channel) => (channel.socket === null ? [{ open, channel }] : [])),
    );
  }

  /** `to` null: everybody. False: not all could be sent. */
  #probe(interfaceName: string, addresses: readonly Ip[], to: Mac | null): boolean {
    const open = this.#interfaces.get(interfaceName);
    if (open === undefined) return false;
    let isSent = true;
    for (const { use, socket } of open.channels) {
      const { protocol, sender } = use;
      for (const address of addresses) {
        if (ipFamily(address) !== protocol.family) continue;
        const out = sender.reserve(socket, protocol.probeBytes);
        if (out === null) isSent = false;
        else protocol.writeProbe(address, open.about.mac, to, out);
      }
      sender.flush(socket);
    }
    return isSent;
  }

  /** What was granted before its tenure began could not be announced. */
  #onTenure({ interface: name, until }: Extract<EngineEffect, { type: "tenure" }>): void {
    const now = this.#ports.now();
    const hasBegun = !this.#grants.hasTenure(name, now);
    this.#grants.setTenure(name, until);
    if (!hasBegun) return;
    this.#log.decision(`tenure begins on ${name}`, now);
    this.#announceAll(name, now);
  }

  #announceAll(interfaceName: string, now: BootMs): void {
    for (const { address, interfaces } of this.#grants.all()) {
      if (interfaces.includes(interfaceName)) this.#announcer.start(address, now);
    }
  }

  #dropGrants(interfaceName: string): void {
    for (const { address, interfaces } of this.#grants.all()) {
      if (interfaces.includes(interfaceName)) this.#revoke(address);
    }
  }

  /** The gateways' answers are wanted, too: they tell which side of a split this node is on. */
  #setFilters(): void {
    for (const open of this.#interfaces.values()) this.#setFilter(open);
  }

  #setFilter(open: OpenInterface): void {
    const ranges = this.#rangesOn(open);
    for (const channel of open.channels) {
      try {
        channel.socket?.setRanges(ranges);
      } catch (thrown) {
        // The kernel may lack the memory for old and new beside each other: a new socket has one.
        channel.socket?.close();
        this.#lost(channel, errorText(thrown));
      }
    }
  }

  #lost(channel: Channel, problem: string): void {
    channel.socket = null;
    channel.problem = problem;
    channel.reopenAt = after(this.#ports.now(), REOPEN_BROKEN_MS);
  }

  #rangesOn({ about, watchedHosts }: OpenInterface): readonly IpRange[] {
    const others = about.gateway === null ? watchedHosts : [about.gateway, ...watchedHosts];
    return [...this.#ranges, ...others.map(hostPrefix)];
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
      closeAll(open);
      this.#interfaces.delete(open.about.name);
    }
    for (const about of wanted) {
      if (this.#interfaces.has(about.name)) continue;
      const parts = { uses: this.#uses, grants: this.#grants };
      const since = { reopenAt: now, watchedHosts: watched.get(about.name) ?? [] };
      this.#interfaces.set(about.name, newInterface(about, parts, since));
    }
    this.#setSegments(wanted, now);
  }

  #setSegments(wanted: readonly AnsweringInterface[], now: BootMs): void {
    const { sockets, segments } = segmentsOf(wanted);
    // Of a segment that is removed nothing more is told.
    for (const name of this.#beaconProblems.keys()) {
      if (!sockets.some((one) => one.interface === name)) this.#beaconProblems.delete(name);
    }
    this.#ports.beacons.setSegments(sockets);
    this.#perform(this.#ports.engine.setSegments(segments, now));
  }

  #open(open: OpenInterface, channel: Channel, now: BootMs): void {
    const onError = (error: AppError): void => {
      this.#lost(channel, error.message);
      this.wake();
    };
    try {
      channel.socket = this.#ports.openSocket({
        protocol: channel.use.protocol,
        interfaceIndex: open.about.index,
        ranges: this.#rangesOn(open),
        isPromiscuous: open.about.isPromiscuous ?? false,
        onFrames: (batch) => this.#received.take(open, channel, batch),
        onError,
      });
      channel.problem = null;
    } catch (thrown) {
      channel.problem = errorText(thrown);
      channel.reopenAt = after(now, REOPEN_MS);
      return;
    }
    if (channel.use.protocol === NDP) this.#ports.groups.rejoin(open.about.name);
    // Neighbours may have learnt something else while nobody listened here.
    this.#announceAll(open.about.name, now);
  }

  #announce(addresses: readonly Ip[], now: BootMs): void {
    if (addresses.length === 0) return;
    for (const { about, channels } of this.#interfaces.values()) {
      const spoken = addresses.filter((one) => this.#grants.maySpeak(one, about.name, now));
      for (const channel of channels) {
        for (const address of spoken) this.#announceOn(channel, { ip: address, mac: about.mac });
        channel.use.sender.flush(channel.socket);
      }
    }
  }

  #announceOn({ use, socket }: Channel, about: { ip: Ip; mac: Mac }): void {
    const { protocol, sender } = use;
    if (ipFamily(about.ip) !== protocol.family) return;
    const stats = this.#received.countOf(about.ip);
    for (let i = 0; i < protocol.announcementCount; i++) {
      const out = sender.reserve(socket, protocol.announcementBytes);
      if (out === null) continue;
      protocol.writeAnnouncement(i, about, out);
      if (stats !== undefined) stats.announced += 1;
    }
    use.announced += 1;
  }

  #report({ withAnswers, withDelays = false }: Extract<ToResponder, { type: "report" }>): void {
    const { engine, beacons, groups, post } = this.#ports;
    groups.retry();
    const report = reportOf({
      counters: Object.assign({}, ...this.#uses.map((use) => use.allCounters())),
      answered: withAnswers ? this.#received.counts() : [],
      problems: problemsOf(this.#interfaces.values(), this.#beaconProblems),
      beacons: beacons.counters(),
      drops: engine.drops,
      peers: engine.peers(),
      groupProblem: groups.problem,
      foreignClusters: engine.foreignClusters(this.#ports.now()),
      measures: engine.measures.get(),
      loopDelays: withDelays ? this.#ports.takeLoopDelays() : [],
    });
    post({ type: "report", report, withAnswers });
  }
}

function closeAll({ channels }: OpenInterface): void {
  for (const { socket } of channels) socket?.close();
}

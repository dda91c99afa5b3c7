// The heartbeat of a node: sends its beacons, holds its tenures, watches its peers, asks silent
// ones on the wire, and keeps everybody's table. Runs on the responder thread, so that nothing the
// main thread does can make a node look dead. Pure: effects are returned in order.
// Not guaranteed: authenticity of a peer ends with the key; whoever has it is believed.

import type { Ip } from "../core/address.ts";
import type { Mac } from "../core/mac.ts";
import { PEERS_MAX, type PeerEntry, type PeerState } from "../core/peer.ts";
import { after, type BootMs, NEVER } from "../core/time.ts";
import { type DatagramBody, FROM_ANYBODY } from "./body.ts";
import { Challenges } from "./challenges.ts";
import { Ear } from "./ear.ts";
import type { BeaconSegment, Drop, EngineEffect, EngineOptions } from "./engine-types.ts";
import type { ForeignCluster } from "./foreign-clusters.ts";
import { BeaconMeasures } from "./measures.ts";
import { Namesakes } from "./namesakes.ts";
import { beaconNews, heardNews, learntNews, type PeerNews, tableNews } from "./news.ts";
import type { OpenSegment, PeerSummary } from "./open-segment.ts";
import {
  holdMs,
  intervalMs,
  listenAnew,
  listenFor,
  newSegment,
  summaries,
  verdictNews,
} from "./open-segment.ts";
import type { Granted } from "./own-table.ts";
import { OwnTable } from "./own-table.ts";
import { Peer } from "./peer.ts";
import { Voice } from "./voice.ts";
import { hostsToWatch, noteAnswer, watchPeers } from "./watch.ts";
import type { Datagram } from "./wire.ts";
import { pagesOf } from "./wire.ts";

/** A change is told so long after a beacon; one of the table after one that hurried: later. */
const HURRY_MS = 10;
const TABLE_HURRY_MS = 50;
/** This thread stood still when it is late by more than this: silence meanwhile says nothing. */
const STALL_MS = 50;
/** While it listens it wakes so often: a stall shows. */
const LISTEN_STEP_MS = 25;

export class BeaconEngine {
  readonly #options: EngineOptions;
  readonly #segments = new Map<string, OpenSegment>();
  readonly #ear: Ear;
  readonly #voice: Voice;
  readonly #challenges: Challenges;
  readonly #namesakes = new Namesakes();
  readonly #table: OwnTable;
  /** By node: VIPs to ask it for when it is silent. */
  #probeTargets: ReadonlyMap<string, readonly Ip[]> = new Map();
  #state: PeerState = "live";
  #mainMovedAt: BootMs = -NEVER as BootMs;
  /** What was due next when this thread ran last. */
  #expectedAt: BootMs = NEVER;
  /** When something happened last. */
  #now: BootMs = -NEVER as BootMs;
  readonly drops: Record<string, number> = {};
  readonly measures = new BeaconMeasures();
  #effects: EngineEffect[] = [];

  constructor(options: EngineOptions) {
    this.#options = options;
    this.#ear = new Ear(options.hmac);
    this.#challenges = new Challenges(options);
    this.#voice = new Voice(options);
    this.#table = new OwnTable(options.sha256);
  }

  /** `cluster`: first 8 bytes, in hexadecimal, of a hash of the cluster's UID. */
  setCluster(cluster: string, now: BootMs): void {
    if (this.#voice.setCluster(cluster)) this.#listenAnew(now);
  }

  setKeys(sending: Uint8Array | null, accepted: readonly Uint8Array[], now: BootMs): void {
    this.#ear.setKeys(accepted);
    if (this.#voice.setKey(sending)) this.#listenAnew(now);
  }

  setState(state: PeerState, now: BootMs): EngineEffect[] {
    this.#state = state;
    this.#hurry(now);
    return this.wake(now);
  }

  setProbeTargets(targets: ReadonlyMap<string, readonly Ip[]>): void {
    this.#probeTargets = targets;
  }

  /** Replaces the segments; one that stays, be it with another MAC, keeps peers and tenure. */
  setSegments(segments: readonly BeaconSegment[], now: BootMs): EngineEffect[] {
    const wanted = new Map(segments.map((about) => [about.interface, about]));
    for (const [name, open] of this.#segments) {
      const about = wanted.get(name);
      if (about?.address !== open.about.address) this.#close(open);
      else if (about.mac !== open.about.mac) this.#hurry(now);
      if (about !== undefined) open.about = about;
    }
    for (const about of segments) {
      if (this.#segments.has(about.interface)) continue;
      this.#segments.set(about.interface, newSegment(about, this.#options.settings, now));
    }
    return this.wake(now);
  }

  /** The main loop runs. */
  mainMoved(now: BootMs): void {
    this.#mainMovedAt = now;
  }

  /** False: refused, because a tenure lapsed that whoever grants has not heard of. */
  grant(address: Ip, granted: Granted, now: BootMs): boolean {
    for (const open of this.#segments.values()) this.#lapse(open, now);
    const isGranted = this.#table.grant(address, granted);
    if (isGranted) this.#hurry(now, TABLE_HURRY_MS);
    return isGranted;
  }

  revoke(address: Ip, now: BootMs): void {
    if (this.#table.revoke(address)) this.#hurry(now, TABLE_HURRY_MS);
  }

  /** Says on the interfaces that this node takes the VIPs, or complains about their owners. */
  say(
    kind: "claim" | "complaint",
    entries: readonly PeerEntry[],
    interfaces: readonly string[],
  ): EngineEffect[] {
    if (entries.length === 0) return [];
    for (const name of interfaces) {
      const open = this.#segments.get(name);
      if (open === undefined) continue;
      for (const part of pagesOf(entries)) this.#send(open, null, { kind, entries: part });
    }
    return this.#take();
  }

  /** Asks one peer to take the VIPs over. */
  offer(interfaceName: string, node: string, entries: readonly PeerEntry[]): EngineEffect[] {
    const open = this.#segments.get(interfaceName);
    const to = open?.peers.get(node)?.address;
    if (open === undefined || to === undefined) return [];
    for (const part of pagesOf(entries)) this.#send(open, to, { kind: "offer", entries: part });
    return this.#take();
  }

  /** Sends the whole table to everybody: a claim was given up. */
  tellTable(): EngineEffect[] {
    for (const open of this.#segments.values()) this.#sendTable(open, null);
    return this.#take();
  }

  /** Tells again what is known of the node, for a reader that was late. */
  retell(interfaceName: string, node: string, now: BootMs): EngineEffect[] {
    const open = this.#segments.get(interfaceName);
    const peer = open?.peers.get(node);
    if (open === undefined || peer === undefined) return [];
    this.#tell(verdictNews(open, peer, { settings: this.#options.settings, now }));
    return this.#take();
  }

  /** A beacon left; `sentAt` as in its effect. */
  sent(interfaceName: string, sentAt: BootMs, now: BootMs): EngineEffect[] {
    const open = this.#segments.get(interfaceName);
    if (open === undefined) return [];
    this.#lapse(open, now);
    this.measures.sent(open.tenure.until - now);
    open.tenure.sent(sentAt, now);
    this.#effects.push({ type: "tenure", interface: interfaceName, until: open.tenure.until });
    return this.#take();
  }

  /** `mac` answered for `address` on the wire. */
  answered(interfaceName: string, address: Ip, mac: Mac, now: BootMs): void {
    const open = this.#segments.get(interfaceName);
    if (open === undefined) return;
    noteAnswer(open, { address, mac, probeTargets: this.#probeTargets, now });
  }

  receive(
    interfaceName: string,
    packet: { readonly from: Ip; readonly bytes: Uint8Array },
    now: BootMs,
  ): EngineEffect[] {
    const open = this.#segments.get(interfaceName);
    if (open === undefined) return [];
    this.#noticeStall(now);
    const heard = this.#ear.hear(packet, this.#voice.cluster);
    const drop = heard.ok ? this.#onDatagram(open, heard.value, now) : heard.reason;
    const { foreign: others } = this.#ear;
    const foreign = drop === "foreign-cluster" ? others.note(interfaceName, packet, now) : null;
    if (foreign !== null) this.#tell({ type: "foreign-cluster", ...foreign });
    if (drop !== null) this.drops[drop] = (this.drops[drop] ?? 0) + 1;
    return this.#take();
  }

  /** Does what is due. */
  wake(now: BootMs): EngineEffect[] {
    this.#noticeStall(now);
    for (const open of this.#segments.values()) {
      this.#lapse(open, now);
      if (now >= open.sendAt) this.#sendBeacon(open, now);
      const options = { settings: this.#options.settings, probeTargets: this.#probeTargets, now };
      this.#effects.push(...watchPeers(open, options));
    }
    return this.#take();
  }

  nextDeadline(): BootMs {
    let next: number = NEVER;
    for (const open of this.#segments.values()) {
      next = Math.min(next, open.sendAt, open.tenure.until > 0 ? open.tenure.until : NEVER);
      if (!open.tenure.hasBegun) next = Math.min(next, after(this.#now, LISTEN_STEP_MS));
      for (const peer of open.peers.values()) next = Math.min(next, peer.nextDeadline());
    }
    return next as BootMs;
  }

  peers(): PeerSummary[] {
    return [...this.#segments.values()].flatMap(summaries);
  }

  foreignClusters(now: BootMs): ForeignCluster[] {
    return this.#ear.foreign.current(now);
  }

  #onDatagram(open: OpenSegment, datagram: Datagram, now: BootMs): Drop | null {
    const { node, body, address } = datagram;
    if (node === this.#options.node) return this.#onOwnName(open, datagram, now);
    let peer = open.peers.get(node);
    if (peer === undefined) {
      if (body.kind === "challenge") return this.#prove(open, address, body);
      if (body.kind !== "beacon" || open.peers.size >= PEERS_MAX) return "unknown";
      peer = new Peer(datagram, body, { challenge: this.#challenges.next(), now });
      open.peers.set(node, peer);
      this.#tell(heardNews(peer, open.about.interface, now));
      this.#afterBeacon(open, peer, now);
      return null;
    }
    const freshness = peer.freshness(datagram);
    if (freshness === "replay") return "replay";
    if (body.kind === "beacon" && freshness === "late") return "late";
    if (body.kind === "beacon") {
      const news = beaconNews(peer, { body, address }, open.about.interface, now);
      this.measures.heard(peer.lateMs);
      this.#tell(news);
      this.#afterBeacon(open, peer, now);
      return null;
    }
    if (!peer.isProven && !FROM_ANYBODY.includes(body.kind)) return "unproven";
    this.#onMessage(open, peer, { body, now });
    return null;
  }

  /** For whoever asks: an answer to an old question is of no use to anybody. */
  #prove(open: OpenSegment, to: Ip, { challenge }: { challenge: string }): null {
    this.#send(open, to, { kind: "proof", challenge });
    return null;
  }

  #onMessage(
    open: OpenSegment,
    peer: Peer,
    { body, now }: { body: Exclude<DatagramBody, { kind: "beacon" }>; now: BootMs },
  ): void {
    const about = { node: peer.node, interface: open.about.interface };
    switch (body.kind) {
      case "claim":
      case "complaint":
        return this.#tell({ type: `peer-${body.kind}`, ...about, entries: body.entries });
      case "offer":
        if (peer.isExcused(now)) return;
        return this.#tell({ type: "peer-offer", ...about, entries: body.entries, at: now });
      case "challenge":
        return void this.#prove(open, peer.address, body);
      case "proof":
        if (!peer.prove(body.challenge) || peer.verdict !== "heard") return;
        this.#tell(heardNews(peer, about.interface, now));
        return this.#afterBeacon(open, peer, now);
      case "table-request":
        return this.#sendTable(open, peer.address);
      case "table":
      case "table-change":
        return this.#tell(learntNews(peer, body, about.interface));
    }
  }

  /** Its own datagrams do not come back; one in its name is from another host. */
  #onOwnName(open: OpenSegment, datagram: Datagram, now: BootMs): Drop {
    // Two of its interfaces may be on one network.
    const segments = [...this.#segments.values()];
    if (segments.some(({ about }) => about.address === datagram.address)) return "own";
    if (!this.#namesakes.isAlive(datagram)) return "replay";
    const isNewer = this.#options.incarnation > datagram.incarnation;
    if (isNewer) this.#voice.mute(now);
    if (!this.#voice.takeConflictReport(now)) return "own";
    const about = { interface: open.about.interface, address: datagram.address, isNewer };
    this.#tell({ type: "name-conflict", ...about });
    return "own";
  }

  #afterBeacon(open: OpenSegment, peer: Peer, now: BootMs): void {
    this.#effects.push(...hostsToWatch(open));
    listenFor(open, peer, this.#options.settings);
    const { address: to, challenge } = peer;
    if (!peer.isProven) this.#send(open, to, { kind: "challenge", challenge });
    else if (peer.takeTableRequest(now)) this.#send(open, to, { kind: "table-request" });
    if (peer.takeTableNews()) this.#tell(tableNews(peer, open.about.interface));
  }

  #tell(news: PeerNews | null): void {
    if (news !== null) this.#effects.push({ type: "tell", news });
  }

  #lapse(open: OpenSegment, now: BootMs): void {
    if (!open.tenure.takeLapse(now)) return;
    const name = open.about.interface;
    this.#tell({ type: "lapsed", interface: name, lapses: this.#table.lapse(name) });
  }

  /** What was granted there is gone with it. */
  #close(open: OpenSegment): void {
    const name = open.about.interface;
    this.#segments.delete(name);
    if (!open.tenure.hasBegun) return;
    this.#tell({ type: "lapsed", interface: name, lapses: this.#table.lapse(name) });
  }

  /** Where it has no tenure it listens for a hold before it speaks. */
  #listenAnew(now: BootMs): void {
    for (const open of this.#segments.values()) listenAnew(open, this.#options.settings, now);
  }

  /** After a stall what was sent meanwhile is still in the socket: nobody counts as silent. */
  #noticeStall(now: BootMs): void {
    this.#now = now;
    if (now - this.#expectedAt <= STALL_MS) return;
    for (const open of this.#segments.values()) {
      for (const peer of open.peers.values()) peer.excuse(now);
    }
    this.#listenAnew(now);
  }

  #sendBeacon(open: OpenSegment, now: BootMs): void {
    const interval = intervalMs(open, this.#options.settings);
    open.sendAt = after(now, interval);
    open.hasHurried = now < after(open.sentAt, interval);
    open.sentAt = now;
    open.listensFrom = null;
    if (this.#voice.isMuted(now)) return;
    // While it still sends beacons, peers must not give up between two of them.
    const extraMs = this.#state === "restarting" ? this.#options.settings.restartHoldMs : 0;
    const ownHoldMs = holdMs(open, this.#options.settings);
    const saidHoldMs = Math.max(ownHoldMs, extraMs);
    // A peer that misses the host, too, waits no longer than it always does.
    open.tenure.sending(ownHoldMs);
    const { mac, interface: name } = open.about;
    const stalledMs = Math.min(0xffff, now - this.#mainMovedAt);
    const said = { state: this.#state, intervalMs: interval, holdMs: saidHoldMs, stalledMs, mac };
    for (const change of this.#table.takeChanges(name)) {
      this.#send(open, null, { kind: "table-change", ...change });
    }
    const digest = this.#table.digest(name);
    this.#send(open, null, { kind: "beacon", ...said, digest }, now);
  }

  #sendTable(open: OpenSegment, to: Ip | null): void {
    const name = open.about.interface;
    const about = { kind: "table", digest: this.#table.digest(name) } as const;
    const pages = pagesOf(this.#table.entries(name));
    for (const [page, entries] of pages.entries()) {
      this.#send(open, to, { ...about, page, pages: pages.length, entries });
    }
  }

  #send(open: OpenSegment, to: Ip | null, body: DatagramBody, sentAt: BootMs | null = null): void {
    const { address, interface: name } = open.about;
    const bytes = this.#voice.say(body, address, this.#now);
    if (bytes !== null) this.#effects.push({ type: "send", interface: name, to, bytes, sentAt });
  }

  /** What has changed should be known before the next beacon would be due. */
  #hurry(now: BootMs, againMs = HURRY_MS): void {
    for (const open of this.#segments.values()) {
      if (open.tenure.until <= now) continue;
      const from = after(open.sentAt, open.hasHurried ? againMs : HURRY_MS);
      open.sendAt = Math.min(open.sendAt, Math.max(now, from)) as BootMs;
    }
  }

  /** What was returned is done before anything else happens; `now` is over then. */
  #take(): EngineEffect[] {
    this.#expectedAt = this.nextDeadline();
    const effects = this.#effects;
    this.#effects = [];
    return effects;
  }
}

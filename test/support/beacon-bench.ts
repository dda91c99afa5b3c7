// A beacon engine with time that a test moves, and made-up peers whose datagrams are real. What the
// engine does is kept as lines of text, with times in ms since the engine began.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import type { DatagramBody } from "../../src/beacon/body.ts";
import { BeaconEngine } from "../../src/beacon/engine.ts";
import {
  type BeaconSegment,
  type BeaconSettings,
  DEFAULT_BEACON_SETTINGS,
  type EngineEffect,
} from "../../src/beacon/engine-types.ts";
import type { PeerNews } from "../../src/beacon/news.ts";
import { type Datagram, decodeDatagram, encodeDatagram } from "../../src/beacon/wire.ts";
import type { Ip } from "../../src/core/address.ts";
import { epochOf, formatEpoch } from "../../src/core/epoch.ts";
import type { Sha256 } from "../../src/core/hash.ts";
import type { Mac } from "../../src/core/mac.ts";
import type { EntriesChange, PeerEntry } from "../../src/core/peer.ts";
import type { BootMs } from "../../src/core/time.ts";
import { bootMs } from "../../src/core/time.ts";
import { hmac } from "./beacon-datagrams.ts";

export const KEY = new Uint8Array(32).fill(0x11);
export const CLUSTER = "00112233445566ff";
export const OWN_NODE = "a";
export const OWN_INCARNATION = 7;
export const sha256: Sha256 = (text) => createHash("sha256").update(text).digest("hex");
export const NO_TABLE = digestOf([]);
const START = 10_000;

export type Beacon = Extract<DatagramBody, { kind: "beacon" }>;

export interface Packet {
  readonly from: Ip;
  readonly bytes: Uint8Array;
  /** Whose it is, who answers when it is asked whether it lives; none: nobody does. */
  readonly sender?: TestPeer;
}

/** What a beacon says of these entries, which are in the order of their addresses. */
export function digestOf(entries: readonly PeerEntry[]): string {
  const each = entries.map(({ address, epoch }) => sha256(`${address}@${epoch}`).slice(0, 16));
  const sum = each.reduce((all, one) => all + BigInt(`0x${one}`), 0n);
  return BigInt.asUintN(64, sum).toString(16).padStart(16, "0");
}

/** The n-th VIP, at Lease epoch 5. */
export function entryOf(n: number, lease = 5): PeerEntry {
  return { address: vipOf(n), epoch: epochOf(lease) };
}

export function vipOf(n: number): Ip {
  return `10.0.${n >> 8}.${n & 255}` as Ip;
}

export function macOf(n: number): Mac {
  return `02:00:00:00:00:${n.toString(16).padStart(2, "0")}` as Mac;
}

export function segmentOf(name: string, network: number, gateway: Ip | null = null): BeaconSegment {
  return { interface: name, mac: macOf(1), address: `192.168.${network}.1` as Ip, gateway };
}

export const ETH0 = segmentOf("eth0", 1);
export const ETH1 = segmentOf("eth1", 2);

export interface BenchOptions {
  readonly segments?: readonly BeaconSegment[];
  readonly settings?: BeaconSettings;
  readonly cluster?: string | null;
  readonly key?: Uint8Array | null;
  /** False: peers do not answer by themselves when they are challenged; all of that is noted. */
  readonly proves?: boolean;
}

export class BeaconBench {
  readonly engine: BeaconEngine;
  /** Interfaces on which the kernel takes nothing. */
  readonly broken = new Set<string>();
  /** The last one that was sent. */
  beacon: Beacon | null = null;
  readonly #proves: boolean;
  #now = START;
  #log: string[] = [];

  constructor(options: BenchOptions = {}) {
    const { segments = [ETH0], settings = DEFAULT_BEACON_SETTINGS } = options;
    const { cluster = CLUSTER, key = KEY, proves = true } = options;
    this.#proves = proves;
    const identity = { node: OWN_NODE, incarnation: OWN_INCARNATION };
    this.engine = new BeaconEngine({ ...identity, settings, hmac, sha256 });
    if (cluster !== null) this.engine.setCluster(cluster, this.now);
    if (key !== null) this.engine.setKeys(key, [key], this.now);
    this.perform(this.engine.setSegments(segments, this.now));
  }

  get now(): BootMs {
    return bootMs(this.#now);
  }

  /** As the engine counts time. */
  time(ms: number): BootMs {
    return bootMs(START + ms);
  }

  /** Time passes, and the thread does not run. */
  stall(until: number): this {
    this.#now = START + until;
    return this;
  }

  /** Wakes the engine whenever it wants to be woken. */
  run(until: number): this {
    const end = START + until;
    for (let wakes = 0; this.engine.nextDeadline() <= end; wakes++) {
      assert.ok(wakes < 100_000, "the engine wants to be woken again and again");
      this.#now = Math.max(this.#now, this.engine.nextDeadline());
      this.perform(this.engine.wake(this.now));
    }
    this.#now = end;
    return this;
  }

  hear({ from, bytes, sender }: Packet, interfaceName = "eth0"): this {
    const effects = this.engine.receive(interfaceName, { from, bytes }, this.now);
    const challenge = this.#proves && sender !== undefined ? challengeIn(effects) : null;
    if (challenge === null || sender === undefined) return this.perform(effects);
    this.perform(effects.filter(({ type }) => type === "watch-hosts"));
    const proof = sender.datagram({ kind: "proof", challenge });
    return this.perform(this.engine.receive(interfaceName, proof, this.now));
  }

  /** Beacons from one every 100 ms: from the time on, to the time before the end. */
  hearEvery100(peer: TestPeer, from: number, end: number): this {
    for (let at = from; at < end; at += 100) this.run(at).hear(peer.beacon());
    return this;
  }

  grant(n: number, interfaces: readonly string[] = ["eth0"], lapses = 0): boolean {
    const { address, epoch } = entryOf(n);
    return this.engine.grant(address, { epoch, interfaces, lapses }, this.now);
  }

  perform(effects: readonly EngineEffect[]): this {
    for (const effect of effects) this.#perform(effect);
    return this;
  }

  /** The lines since it was called last, or those of them with the pattern. */
  take(pattern = /./): string[] {
    const lines = this.#log.filter((line) => pattern.test(line));
    this.#log = [];
    return lines;
  }

  /** The times of the lines with the pattern. */
  times(pattern: RegExp): number[] {
    return this.take(pattern).map((line) => Number(line.split(" ")[0]));
  }

  #perform(effect: EngineEffect): void {
    switch (effect.type) {
      case "tell":
        return this.#note(effect.news.interface, this.#newsText(effect.news));
      case "probe":
        return this.#note(effect.interface, `asks for ${effect.address} ${toText(effect.to)}`);
      case "tenure":
        return this.#note(effect.interface, `tenure ${effect.until - START}`);
      case "watch-hosts":
        return this.#note(effect.interface, `watches ${effect.addresses.join(" ") || "nobody"}`);
      case "send":
        return this.#send(effect);
    }
  }

  #send({ interface: name, to, bytes, sentAt }: Extract<EngineEffect, { type: "send" }>): void {
    const decoded = decodeDatagram(bytes, [KEY], hmac);
    assert.ok(decoded.ok);
    const { body } = decoded.value;
    if (body.kind === "beacon") {
      assert.deepEqual([to, sentAt], [null, this.now]);
      this.beacon = body;
    } else assert.equal(sentAt, null);
    this.#note(name, `${bodyText(body)}${to === null ? "" : ` ${toText(to)}`}`);
    if (sentAt === null || this.broken.has(name)) return;
    this.perform(this.engine.sent(name, sentAt, this.now));
  }

  #newsText(news: PeerNews): string {
    if ("at" in news) assert.equal(news.at, this.now);
    switch (news.type) {
      case "peer-heard":
        return heardText(news);
      case "peer-silent": {
        const gateway = news.gateway === null ? "" : `, gateway ${news.gateway}`;
        if (news.answers) return `answers ${news.node}${gateway}`;
        const beside = news.heard.map((node) => ` beside ${node}`).join("");
        return `silent ${news.node}${beside}${gateway}`;
      }
      case "peer-table-missing":
        return `no table of ${news.node}`;
      case "peer-table":
        return `table of ${news.node}: ${entriesText(news.entries)}`;
      case "peer-table-change":
        return `change of ${news.node}: ${changeText(news)}`;
      case "peer-claim":
        return `claim of ${news.node}: ${entriesText(news.entries)}`;
      case "peer-offer":
        return `offer of ${news.node}: ${entriesText(news.entries)}`;
      case "peer-complaint":
        return `complaint of ${news.node}: ${entriesText(news.entries)}`;
      case "lapsed":
        return `lapsed ${news.lapses}`;
      case "name-conflict":
        return `name-conflict ${news.address}${news.isNewer ? " newer" : ""}`;
      case "foreign-cluster":
        return `foreign-cluster ${news.cluster} ${news.node} ${news.address} ${news.mac}`;
    }
  }

  #note(interfaceName: string, text: string): void {
    this.#log.push(`${this.#now - START} ${interfaceName} ${text}`);
  }
}

function changeText(change: EntriesChange): string {
  return `${entriesText(change.entries)} gone ${entriesText(change.gone)}`;
}

function heardText(news: Extract<PeerNews, { type: "peer-heard" }>): string {
  const { node, incarnation, state, mac, isProven } = news;
  return `${isProven ? "heard" : "unproven"} ${node} #${incarnation} ${state} ${mac}`;
}

/** What the only peer that it hears is asked to prove. */
function challengeIn(effects: readonly EngineEffect[]): string | null {
  for (const effect of effects) {
    if (effect.type !== "send") continue;
    const decoded = decodeDatagram(effect.bytes, [KEY], hmac);
    if (decoded.ok && decoded.value.body.kind === "challenge") return decoded.value.body.challenge;
  }
  return null;
}

function toText(to: string | null): string {
  return `to ${to ?? "all"}`;
}

function bodyText(body: DatagramBody): string {
  switch (body.kind) {
    case "beacon":
      return `beacon ${body.state} ${body.intervalMs}/${body.holdMs}`;
    case "table-request":
      return "table-request";
    case "challenge":
    case "proof":
      return `${body.kind} ${body.challenge}`;
    case "claim":
    case "offer":
    case "complaint":
      return `${body.kind} ${entriesText(body.entries)}`;
    case "table":
      return `table ${body.page + 1}/${body.pages} ${entriesText(body.entries)}`;
    case "table-change":
      return `table-change ${changeText(body)}`;
  }
}

/** Of many, only how many. */
function entriesText(entries: readonly PeerEntry[]): string {
  if (entries.length > 3) return `(${entries.length})`;
  return entries.map(({ address, epoch }) => `${address}@${formatEpoch(epoch)}`).join(" ") || "-";
}

/** Another node on eth0; what it sends next is made from its fields. */
export class TestPeer {
  readonly node: string;
  incarnation = 1;
  /** Of its last datagram. */
  sequence = 0;
  address: Ip;
  mac: Mac;
  state: Beacon["state"] = "live";
  holdMs = 300;
  digest = NO_TABLE;

  constructor(node: string, n = 2) {
    this.node = node;
    this.address = `192.168.1.${n}` as Ip;
    this.mac = macOf(n);
  }

  beacon(changes: Partial<Datagram> = {}, key = KEY): Packet {
    const { state, holdMs, mac, digest } = this;
    const times = { intervalMs: Math.min(100, holdMs), holdMs, stalledMs: 0 };
    return this.datagram({ kind: "beacon", state, ...times, mac, digest }, changes, key);
  }

  /** Of its only page, unless told otherwise. */
  table(entries: readonly PeerEntry[], more: { page?: number; pages?: number } = {}): Packet {
    const { digest } = this;
    return this.datagram({ kind: "table", digest, page: 0, pages: 1, entries, ...more });
  }

  datagram(body: DatagramBody, changes: Partial<Datagram> = {}, key = KEY): Packet {
    this.sequence += 1;
    const { node, incarnation, sequence, address } = this;
    const head = { cluster: CLUSTER, node, incarnation, sequence, address };
    const bytes = encodeDatagram({ ...head, body, ...changes }, key, hmac);
    return { from: address, bytes, sender: this };
  }
}

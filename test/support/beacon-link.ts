// Two beacon engines and a link between them that loses, doubles and reorders datagrams as a test
// says. Virtual time; each step is the earliest of what is on its way, due, or planned.

import assert from "node:assert/strict";
import { BeaconEngine } from "../../src/beacon/engine.ts";
import {
  type BeaconSegment,
  DEFAULT_BEACON_SETTINGS,
  type EngineEffect,
} from "../../src/beacon/engine-types.ts";
import { compareIps, type Ip } from "../../src/core/address.ts";
import type { EntriesChange, PeerEntry } from "../../src/core/peer.ts";
import { bootMs } from "../../src/core/time.ts";
import { CLUSTER, KEY, macOf, sha256 } from "./beacon-bench.ts";
import { hmac } from "./beacon-datagrams.ts";

/** What becomes of a datagram: when each copy of it arrives; none: it is lost. */
export type Fate = readonly number[];

const GOOD: Fate = [1];
const INTERFACE = "eth0";

interface Happening {
  readonly at: number;
  readonly act: () => void;
}

export class LinkedNode {
  readonly name: string;
  readonly segment: BeaconSegment;
  engine: BeaconEngine;
  incarnation = 1;
  /** What it answers for. */
  granted = new Map<Ip, PeerEntry>();
  /** What it was told that the other answers for. */
  view: readonly PeerEntry[] | null = null;
  lapses = 0;

  constructor(name: string, n: number) {
    this.name = name;
    const address = `192.168.1.${n}` as Ip;
    this.segment = { interface: INTERFACE, mac: macOf(n), address, gateway: null };
    this.engine = this.#newEngine();
  }

  /** As its beacons should say. */
  get table(): readonly PeerEntry[] {
    return [...this.granted.values()].sort((a, b) => compareIps(a.address, b.address));
  }

  /** With nothing but its name. */
  restart(): void {
    this.incarnation += 1;
    this.granted = new Map();
    this.view = null;
    this.engine = this.#newEngine();
  }

  #newEngine(): BeaconEngine {
    const settings = DEFAULT_BEACON_SETTINGS;
    const { name: node, incarnation } = this;
    const engine = new BeaconEngine({ node, incarnation, settings, hmac, sha256 });
    engine.setCluster(CLUSTER, bootMs(0));
    engine.setKeys(KEY, [KEY], bootMs(0));
    return engine;
  }
}

export class BeaconLink {
  readonly nodes = [new LinkedNode("a", 1), new LinkedNode("b", 2)] as const;
  /** Of the datagrams, one after another, while the link is bad; then from the start again. */
  readonly #fates: readonly Fate[];
  /** From here on nothing is lost, doubled or reordered any more. */
  readonly #goodFrom: number;
  #sent = 0;
  #now = 0;
  #happenings: Happening[] = [];

  constructor(fates: readonly Fate[], goodFrom: number) {
    this.#fates = fates;
    this.#goodFrom = goodFrom;
    for (const node of this.nodes) this.#start(node);
  }

  plan(at: number, act: () => void): void {
    this.#happenings.push({ at, act });
  }

  grant(node: LinkedNode, entry: PeerEntry): void {
    const grant = { epoch: entry.epoch, interfaces: [INTERFACE], lapses: 0 };
    assert.ok(node.engine.grant(entry.address, grant, bootMs(this.#now)));
    node.granted.set(entry.address, entry);
    this.#wake(node);
  }

  revoke(node: LinkedNode, address: Ip): void {
    node.engine.revoke(address, bootMs(this.#now));
    node.granted.delete(address);
    this.#wake(node);
  }

  restart(node: LinkedNode): void {
    node.restart();
    this.#start(node);
  }

  run(end: number): void {
    for (;;) {
      const next = this.#happenings.reduce<Happening | null>(
        (first, other) => (first === null || other.at < first.at ? other : first),
        null,
      );
      const [a, b] = this.nodes;
      const dueA = a.engine.nextDeadline();
      const dueB = b.engine.nextDeadline();
      const at = Math.min(next?.at ?? Number.POSITIVE_INFINITY, dueA, dueB);
      if (at > end) return;
      this.#now = Math.max(this.#now, at);
      if (next !== null && next.at <= this.#now) {
        this.#happenings = this.#happenings.filter((other) => other !== next);
        next.act();
      } else this.#wake(dueA <= dueB ? a : b);
    }
  }

  #start(node: LinkedNode): void {
    this.#perform(node, node.engine.setSegments([node.segment], bootMs(this.#now)));
  }

  #wake(node: LinkedNode): void {
    this.#perform(node, node.engine.wake(bootMs(this.#now)));
  }

  #perform(node: LinkedNode, effects: readonly EngineEffect[]): void {
    for (const effect of effects) {
      if (effect.type === "send") {
        this.#send(node, effect.bytes);
        if (effect.sentAt === null) continue;
        this.#perform(node, node.engine.sent(INTERFACE, effect.sentAt, bootMs(this.#now)));
      } else if (effect.type === "tell") {
        if (effect.news.type === "peer-table") node.view = effect.news.entries;
        if (effect.news.type === "peer-table-change") node.view = changed(node.view, effect.news);
        if (effect.news.type === "lapsed") node.lapses += 1;
      }
    }
  }

  #send(from: LinkedNode, bytes: Uint8Array): void {
    const [a, b] = this.nodes;
    const to = from === a ? b : a;
    const isGood = this.#now >= this.#goodFrom;
    const fate = isGood ? GOOD : (this.#fates[this.#sent++ % this.#fates.length] ?? GOOD);
    const packet = { from: from.segment.address, bytes };
    for (const delay of fate) {
      this.plan(this.#now + delay, () => {
        this.#perform(to, to.engine.receive(INTERFACE, packet, bootMs(this.#now)));
      });
    }
  }
}

/** A table that is known, after a change of it, by address. */
function changed(
  table: readonly PeerEntry[] | null,
  { entries, gone }: EntriesChange,
): PeerEntry[] {
  assert.ok(table !== null, "a change of a table that is known");
  const over = new Set([...entries, ...gone].map(({ address }) => address));
  const rest = table.filter(({ address }) => !over.has(address));
  return [...rest, ...entries].sort((a, b) => compareIps(a.address, b.address));
}

// Short ways to write the words of the ownership machine, and a machine that has joined, for tests
// that tell a story by `step(event, now)`. Times are plain numbers here, 0 is the start.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import type { Ip } from "../../src/core/address.ts";
import { parseIp, parsePrefix } from "../../src/core/address.ts";
import type { Epoch } from "../../src/core/epoch.ts";
import { epochOf } from "../../src/core/epoch.ts";
import type { Mac } from "../../src/core/mac.ts";
import type { PeerEntry } from "../../src/core/peer.ts";
import { bootMs } from "../../src/core/time.ts";
import { Ownership } from "../../src/ownership/machine.ts";
import { DEFAULT_TIMINGS } from "../../src/ownership/timings.ts";
import type {
  ClaimCause,
  LossCause,
  MemberRecord,
  NodePlacement,
  OwnershipEffect,
  OwnershipEvent,
  Segment,
  VipRecord,
  VipSpec,
} from "../../src/ownership/types.ts";

export const VIP = ip("192.168.1.240");
export const OTHER_MAC = "02:00:00:00:64:0c" as Mac;
export const ALLOWED = { allowed: true, interfaces: null, unhealthy: null } as const;
/** A Lease epoch, or one with its holdover counter, as `formatEpoch` writes it. */
export type EpochText = number | `${number}+${number}`;

export function epoch(text: EpochText): Epoch {
  const [lease = 0, holdover = 0] = String(text).split("+").map(Number);
  return epochOf(lease, holdover);
}

export const ETH0 = segment("eth0", "192.168.1.0/24");

export function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

export function ip(text: string): Ip {
  const address = parseIp(text);
  if (address === null) throw new Error(`Not an address: "${text}"`);
  return address;
}

export function segment(name: string, ...prefixes: readonly string[]): Segment {
  const parsed = prefixes.map((text) => {
    const prefix = parsePrefix(text);
    if (prefix === null) throw new Error(`Not a prefix: "${text}"`);
    return prefix;
  });
  return { interface: name, prefixes: parsed };
}

/** A VIP that node-a, node-b and node-c may own, in the rank order a, c, b for `VIP`. */
export function vip(
  changes: Readonly<Record<string, NodePlacement | null>> = {},
  address = VIP,
): VipSpec {
  const all = { "node-a": ALLOWED, "node-b": ALLOWED, "node-c": ALLOWED, ...changes };
  const nodes = new Map<string, NodePlacement>();
  for (const [node, placement] of Object.entries(all)) {
    if (placement !== null) nodes.set(node, placement);
  }
  const placement = { pool: "lan", nodes };
  return { address, rankBy: address, placement, serving: "everywhere" };
}

export function member(node: string, changes: Partial<MemberRecord> = {}): MemberRecord {
  const holder = `${node}/1`;
  return { node, holder, renewal: "r1", resourceVersion: "10", segments: null, ...changes };
}

export function vipRecord(
  owner: string | null,
  epoch: number,
  version: number,
  address = VIP,
): VipRecord {
  return { address, owner, epoch, resourceVersion: String(version) };
}

export function recordsRead(
  vips: readonly VipRecord[],
  members: readonly MemberRecord[] = [],
): OwnershipEvent {
  return { type: "records-read", records: { vips, members } };
}

export function vipWritten(record: VipRecord): OwnershipEvent {
  const outcome = { kind: "written", record } as const;
  return { type: "vip-written", address: record.address, outcome };
}

export function vipNotWritten(kind: "conflict" | "failed", address = VIP): OwnershipEvent {
  return { type: "vip-written", address, outcome: { kind } };
}

/** The answer to a write of the node Lease sent at `sentAt`; its version is 1,000 + `sentAt`. */
export function presenceWritten(sentAt: number, node = "node-a"): OwnershipEvent {
  const resourceVersion = String(1_000 + sentAt);
  const record = member(node, { renewal: `at ${sentAt}`, resourceVersion });
  return { type: "presence-written", sentAt: bootMs(sentAt), outcome: { kind: "written", record } };
}

export function presenceNotWritten(sentAt: number, kind: "conflict" | "failed"): OwnershipEvent {
  return { type: "presence-written", sentAt: bootMs(sentAt), outcome: { kind } };
}

export function heard(address = VIP): OwnershipEvent {
  return { type: "heard", address, interface: "eth0", mac: OTHER_MAC };
}

/** The MAC of a peer, by the last letter of its name. */
export function macOf(node: string): Mac {
  return `02:00:00:00:64:${node.slice(-1)}0` as Mac;
}

export function peerHeard(
  node: string,
  at: number,
  changes: Partial<Extract<OwnershipEvent, { type: "peer-heard" }>> = {},
): OwnershipEvent {
  const mac = macOf(node);
  const about = { node, interface: "eth0", incarnation: 1, state: "live", mac } as const;
  const said = { ...about, isProven: true, holdMs: 300 };
  return { type: "peer-heard", ...said, at: bootMs(at), ...changes };
}

const PEERS = ["node-a", "node-b", "node-c", "node-d", "node-e"];

/** Beside all others, of which those count that are heard. */
export function peerSilent(
  node: string,
  at: number,
  changes: Partial<Extract<OwnershipEvent, { type: "peer-silent" }>> = {},
): OwnershipEvent {
  const beside = PEERS.filter((other) => other !== node);
  const about = { node, interface: "eth0", answers: false, gateway: null, heard: beside } as const;
  return { type: "peer-silent", ...about, at: bootMs(at), ...changes };
}

export function entry(text: EpochText, address = VIP): PeerEntry {
  return { address, epoch: epoch(text) };
}

export function peerTable(node: string, ...entries: readonly PeerEntry[]): OwnershipEvent {
  return { type: "peer-table", node, interface: "eth0", entries };
}

export function peerTableChange(
  node: string,
  entries: readonly PeerEntry[],
  gone: readonly PeerEntry[],
): OwnershipEvent {
  return { type: "peer-table-change", node, interface: "eth0", entries, gone };
}

export function peerTableMissing(node: string): OwnershipEvent {
  return { type: "peer-table-missing", node, interface: "eth0" };
}

export function peerClaim(node: string, ...entries: readonly PeerEntry[]): OwnershipEvent {
  return { type: "peer-claim", node, interface: "eth0", entries };
}

export function peerOffer(
  node: string,
  at: number,
  ...entries: readonly PeerEntry[]
): OwnershipEvent {
  return { type: "peer-offer", node, interface: "eth0", entries, at: bootMs(at) };
}

export function lapsed(lapses = 1): OwnershipEvent {
  return { type: "lapsed", interface: "eth0", lapses };
}

export function claim(at: EpochText, address = VIP): OwnershipEffect {
  return { type: "claim", address, epoch: epoch(at), interfaces: ["eth0"] };
}

export function announce(address = VIP): OwnershipEffect {
  return { type: "announce", address };
}

export function grant(
  at: EpochText,
  changes: Partial<Extract<OwnershipEffect, { type: "grant" }>> = {},
): OwnershipEffect {
  const about = { address: VIP, epoch: epoch(at), interfaces: ["eth0"], lapses: 0 };
  return { type: "grant", ...about, ...changes };
}

/** A claim of a VIP whose record is at the epoch before: told and written at the same time. */
export function claims(
  node: string,
  leaseEpoch: number,
  version: number | null,
  address = VIP,
): OwnershipEffect[] {
  return [claim(`${leaseEpoch - 1}+1`, address), writeVip(node, leaseEpoch, version, address)];
}

/** How a node becomes owner: in this order and with nothing between. */
export function gained(
  cause: ClaimCause,
  at: EpochText,
  previousOwner: string | null = null,
  { address = VIP, lapses = 0 }: { address?: Ip; lapses?: number } = {},
): OwnershipEffect[] {
  const change = { type: "gained", address, epoch: epoch(at), cause, previousOwner } as const;
  return [
    { type: "record", change },
    grant(at, { address, lapses }),
    claim(at, address),
    announce(address),
  ];
}

/** Stop answering first, then tell. */
export function lost(
  cause: LossCause,
  at: EpochText,
  detail: string,
  address = VIP,
): OwnershipEffect[] {
  return [
    { type: "revoke", address },
    { type: "record", change: { type: "lost", address, epoch: epoch(at), cause, detail } },
  ];
}

/** What an owner does about a peer that it hears, and whose epoch is higher. */
export function yieldedTo(node: string, at: EpochText, its: EpochText): OwnershipEffect[] {
  const mac = macOf(node);
  return [
    ...lost("yielded", at, `to "${node}" at epoch ${its}`),
    { type: "conflict", address: VIP, interface: "eth0", mac, resolution: "peer" },
  ];
}

export function writeVip(
  owner: string | null,
  epoch: number,
  version: number | null,
  address = VIP,
): OwnershipEffect {
  const resourceVersion = version === null ? null : String(version);
  return { type: "write-vip", address, owner, epoch, resourceVersion };
}

/** A write of the node Lease over the version that was written at `lastSentAt`. */
export function writePresence(
  lastSentAt: number,
  changes: Partial<Extract<OwnershipEffect, { type: "write-presence" }>> = {},
): OwnershipEffect {
  const resourceVersion = String(1_000 + lastSentAt);
  return { type: "write-presence", resourceVersion, live: true, segments: [ETH0], ...changes };
}

export interface StoryOptions {
  readonly node?: string;
  readonly specs?: readonly VipSpec[];
  readonly vips?: readonly VipRecord[];
  readonly members?: readonly MemberRecord[];
  readonly preempt?: boolean;
}

/** One node's machine, told events with plain times. */
export class Story {
  readonly machine: Ownership;
  readonly #node: string;
  #renewedAt = 0;

  constructor(node = "node-a", preempt = false) {
    this.#node = node;
    this.machine = new Ownership({ node, timings: DEFAULT_TIMINGS, sha256, preempt });
  }

  /** Started at 0, has read the records and renewed at 0; the second read is in flight. */
  static joining(options: StoryOptions = {}): Story {
    const { node = "node-a", specs = [vip()], vips = [], members = [] } = options;
    const story = new Story(node, options.preempt);
    story.machine.start(bootMs(0));
    story.step({ type: "segments", segments: [ETH0] }, 0);
    story.step({ type: "vips", changed: specs, freed: [] }, 0);
    story.step(recordsRead(vips, members), 0);
    story.step(presenceWritten(0, node), 0);
    return story;
  }

  /** As `joining`, the second read has come with what the first had, and it has listened. */
  static joined(options: StoryOptions = {}): Story {
    const story = Story.joining(options);
    story.step(recordsRead(options.vips ?? [], options.members ?? []), 0);
    story.tick(DEFAULT_TIMINGS.holdMs);
    return story;
  }

  /** node-a owns VIP since the start, at epoch 1 and version 60 of its record. */
  static owner(members: readonly MemberRecord[] = []): Story {
    const story = Story.joined({ vips: [vipRecord("node-a", 1, 60)], members });
    assert.deepEqual(story.machine.owned(), [VIP]);
    return story;
  }

  step(event: OwnershipEvent, now: number): OwnershipEffect[] {
    return this.machine.step(event, bootMs(now));
  }

  tick(now: number): OwnershipEffect[] {
    return this.step({ type: "tick" }, now);
  }

  /** Renews the node Lease, sent and answered at `now`; nothing else may happen. */
  renew(now: number): void {
    assert.deepEqual(this.tick(now), [writePresence(this.#renewedAt)]);
    assert.deepEqual(this.step(presenceWritten(now, this.#node), now), []);
    this.#renewedAt = now;
  }

  nextDeadline(now: number): number {
    return this.machine.nextDeadline(bootMs(now));
  }
}

/** All offers of the ticks that the machine asks for; the node Lease is renewed meanwhile. */
export function offersUntil(story: Story, from: number, end: number): string[] {
  const seen: string[] = [];
  let now = from;
  for (let ticks = 0; story.nextDeadline(now) <= end; ticks++) {
    assert.ok(ticks < 1_000, "it is due again and again");
    now = Math.max(now, story.nextDeadline(now));
    for (const effect of story.tick(now)) {
      if (effect.type === "write-presence") story.step(presenceWritten(now), now);
      if (effect.type === "offer") seen.push(`${now} ${effect.address} to ${effect.to}`);
    }
  }
  return seen;
}

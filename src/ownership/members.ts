// The members of the cluster, as their node Leases show them. Only local observation counts: a
// Lease has expired when it was not *seen* to change for its duration, whatever its times say, and
// an expired one is read from the API once more before anybody acts on it.

import { isOlderVersion } from "../core/resource-version.ts";
import type { BootMs } from "../core/time.ts";
import { after, earliest, NEVER } from "../core/time.ts";
import type { MemberRecord, Segment } from "./types.ts";

/**
 * `alive`: renewed in time. `suspect`: expired by what was seen, not yet confirmed. `down`: a read
 * from the API confirmed it, not longer ago than a Lease stands: the node may have come back since.
 * `stopped`: the node gave its Lease up.
 */
export type MemberStatus = "alive" | "suspect" | "down" | "stopped";

interface Member {
  record: MemberRecord | null;
  seenAt: BootMs;
  /** When a read showed that it was not renewed; a verdict that ages. */
  confirmedDownAt: BootMs | null;
  readSentAt: BootMs | null;
}

export class Members {
  readonly #leaseDurationMs: number;
  readonly #retryMs: number;
  readonly #members = new Map<string, Member>();

  constructor(options: { leaseDurationMs: number; retryMs: number }) {
    this.#leaseDurationMs = options.leaseDurationMs;
    this.#retryMs = options.retryMs;
  }

  /** Notes a record; true when that changes what is thought of the node. A late one does not. */
  observe(record: MemberRecord, now: BootMs): boolean {
    const known = this.#members.get(record.node);
    const knownVersion = known?.record?.resourceVersion;
    if (knownVersion !== undefined && isOlderVersion(record.resourceVersion, knownVersion)) {
      return false;
    }
    const before = known === undefined ? null : this.#status(known, now);
    const isRenewed = known?.record?.renewal !== record.renewal;
    const member: Member = {
      record,
      seenAt: isRenewed || known === undefined ? now : known.seenAt,
      confirmedDownAt: isRenewed ? null : (known?.confirmedDownAt ?? null),
      readSentAt: known?.readSentAt ?? null,
    };
    this.#members.set(record.node, member);
    const hasNewSegments =
      JSON.stringify(segmentNames(known?.record ?? null)) !== JSON.stringify(segmentNames(record));
    return before !== this.#status(member, now) || hasNewSegments;
  }

  /** The Lease was deleted: the node counts as not renewed since it was last seen. */
  forget(node: string): void {
    const member = this.#members.get(node);
    if (member !== undefined) member.record = null;
  }

  /** Those whose Lease was deleted long ago, and that no record needs, have left the cluster. */
  prune(isNeeded: (node: string) => boolean, now: BootMs): void {
    for (const [node, { record, seenAt }] of this.#members) {
      const isLongGone = record === null && now >= after(seenAt, 2 * this.#leaseDurationMs);
      if (isLongGone && !isNeeded(node)) this.#members.delete(node);
    }
  }

  /** What a read straight from the API said of a suspect. */
  confirm(node: string, record: MemberRecord | null | "failed", now: BootMs): void {
    const member = this.#memberFor(node, now);
    const readSentAt = member.readSentAt;
    member.readSentAt = null;
    if (record === "failed") {
      member.readSentAt = readSentAt;
      return;
    }
    if (record !== null) this.observe(record, now);
    const current = this.#memberFor(node, now);
    current.readSentAt = null;
    if (this.#status(current, now) === "suspect") current.confirmedDownAt = now;
  }

  /**
   * This node could not reach the API, and the others perhaps could not either: their silence
   * meanwhile says nothing. Each has at least `graceMs` from now to show that it lives.
   */
  excuseSilence(graceMs: number, now: BootMs): void {
    const seenAtMin = after(now, graceMs - this.#leaseDurationMs);
    for (const member of this.#members.values()) {
      if (member.seenAt >= seenAtMin) continue;
      member.seenAt = seenAtMin;
      member.confirmedDownAt = null;
    }
  }

  /** A node that was never seen counts from now. */
  status(node: string, now: BootMs): MemberStatus {
    return this.#status(this.#memberFor(node, now), now);
  }

  /** True when a suspect should be read now; a read that got no answer is repeated. */
  shouldRead(node: string, now: BootMs): boolean {
    const member = this.#memberFor(node, now);
    if (member.readSentAt !== null && now < after(member.readSentAt, this.#retryMs)) return false;
    member.readSentAt = now;
    return true;
  }

  /** When `status` of the node changes by itself, or a read is due again. */
  deadline(node: string, now: BootMs): BootMs {
    const member = this.#memberFor(node, now);
    const status = this.#status(member, now);
    if (status === "alive") return after(member.seenAt, this.#leaseDurationMs);
    if (status === "suspect") return after(member.readSentAt ?? now, this.#retryMs);
    return NEVER;
  }

  /** When the next of those alive would expire. */
  nextExpiry(now: BootMs): BootMs {
    return earliest(...this.alive(now).map((node) => this.deadline(node, now)));
  }

  segments(node: string): readonly Segment[] | null {
    return this.#members.get(node)?.record?.segments ?? null;
  }

  holder(node: string): string | null {
    return this.#members.get(node)?.record?.holder ?? null;
  }

  isKnown(node: string): boolean {
    return this.#members.has(node);
  }

  names(): string[] {
    return [...this.#members.keys()];
  }

  list(now: BootMs): { node: string; status: MemberStatus; holder: string | null }[] {
    return this.names().map((node) => ({
      node,
      status: this.status(node, now),
      holder: this.holder(node),
    }));
  }

  alive(now: BootMs): string[] {
    return this.names().filter((node) => this.status(node, now) === "alive");
  }

  #memberFor(node: string, now: BootMs): Member {
    let member = this.#members.get(node);
    if (member === undefined) {
      member = { record: null, seenAt: now, confirmedDownAt: null, readSentAt: null };
      this.#members.set(node, member);
    }
    return member;
  }

  #status(member: Member, now: BootMs): MemberStatus {
    if (member.record !== null && member.record.holder === null) return "stopped";
    if (now < after(member.seenAt, this.#leaseDurationMs)) return "alive";
    const { confirmedDownAt } = member;
    if (confirmedDownAt === null) return "suspect";
    return now < after(confirmedDownAt, this.#leaseDurationMs) ? "down" : "suspect";
  }
}

function segmentNames(record: MemberRecord | null): unknown {
  return (record?.segments ?? []).map((s) => [s.interface, s.prefixes.map((p) => String(p.start))]);
}

// The ownership machine of one node: `step(event, now)` returns effects in the order in which they
// must be done, `nextDeadline()` says when to step again with a tick. It reads no clock, does no
// I/O, and owns nothing beyond its tenure: the responder checks that at every reply.
//
// Not guaranteed: two halves of a split segment can each have an owner (design, section 4.10).

import type { Ip } from "../core/address.ts";
import type { Sha256 } from "../core/hash.ts";
import { invariant, unreachable } from "../core/invariant.ts";
import type { BootMs } from "../core/time.ts";
import { after, earliest, NEVER } from "../core/time.ts";
import type { Verdict } from "./candidates.ts";
import { Candidates } from "./candidates.ts";
import type { Situation } from "./decide.ts";
import { newDoubt } from "./doubt.ts";
import type { MemberStatus } from "./members.ts";
import { Members } from "./members.ts";
import { Presence } from "./presence.ts";
import { Ranking } from "./ranking.ts";
import type { Timings } from "./timings.ts";
import { checkTimings, comebackMs } from "./timings.ts";
import type { MemberRecord, OwnershipEffect, OwnershipEvent, Segment, VipRecord } from "./types.ts";
import type { Vip } from "./vip.ts";
import { nextDefence, VipTable } from "./vip-table.ts";

export interface OwnershipOptions {
  /** This node's name. */
  readonly node: string;
  readonly timings: Timings;
  readonly sha256: Sha256;
}

/** What `explain` tells of a VIP. */
export interface VipView {
  readonly address: Ip;
  readonly phase: Vip["phase"];
  readonly record: VipRecord | null;
  /** Best-ranked first. */
  readonly verdicts: readonly Verdict[];
}

type EventOf<T extends OwnershipEvent["type"]> = Extract<OwnershipEvent, { type: T }>;

export class Ownership {
  readonly #node: string;
  readonly #timings: Timings;
  readonly #members: Members;
  readonly #ranking: Ranking;
  readonly #candidates: Candidates;
  readonly #presence: Presence;
  readonly #vips: VipTable;
  #segments: readonly Segment[] = [];
  #startHoldUntil: BootMs = NEVER;
  /** True once all records were read since the start. */
  #hasRecords = false;
  #isReading = false;
  /** The records were doubted while a read was in flight. */
  #mustReadAgain = false;
  #readAt: BootMs = NEVER;
  #stop: "no" | "releasing" | "leaving" | "done" = "no";
  #effects: OwnershipEffect[] = [];

  constructor(options: OwnershipOptions) {
    checkTimings(options.timings);
    this.#node = options.node;
    this.#timings = options.timings;
    this.#members = new Members(options.timings);
    this.#ranking = new Ranking(options.sha256);
    this.#candidates = new Candidates(options.node, this.#members, this.#ranking);
    this.#presence = new Presence(options.timings);
    this.#vips = new VipTable((effect) => this.#effects.push(effect));
  }

  /** Asks for the records; the node joins as a member once it has them. Call once, first. */
  start(now: BootMs): OwnershipEffect[] {
    this.#startHoldUntil = after(now, this.#timings.startHoldMs);
    this.#readRecords(now);
    return this.#take();
  }

  step(event: OwnershipEvent, now: BootMs): OwnershipEffect[] {
    invariant(this.#startHoldUntil !== NEVER, "step() after start()");
    if (this.#stop === "done") return [];
    this.#lapse(now);
    this.#apply(event, now);
    this.#keepPresence(now);
    if (now >= this.#readAt) this.#readRecords(now);
    this.#finishStop();
    return this.#take();
  }

  /** When to step with a `tick` if nothing happens before. */
  nextDeadline(now: BootMs): BootMs {
    if (this.#stop === "leaving" || this.#stop === "done") return NEVER;
    return earliest(this.#presence.nextDeadline(now), this.#vips.due, this.#readAt);
  }

  /** The end of the tenure of every VIP that this node owns. */
  get tenureUntil(): BootMs {
    return this.#presence.tenureUntil;
  }

  /** True while the API has confirmed this node's Lease within the renew deadline. */
  isConfirmed(now: BootMs): boolean {
    return this.#presence.isConfirmed(now);
  }

  owned(): Ip[] {
    return this.#vips.owned().map((vip) => vip.spec.address);
  }

  members(now: BootMs): { node: string; status: MemberStatus; holder: string | null }[] {
    return this.#members.names().map((node) => ({
      node,
      status: this.#members.status(node, now),
      holder: this.#members.holder(node),
    }));
  }

  /** Every VIP Lease known, also of addresses that no Service has. */
  records(): readonly VipRecord[] {
    return this.#vips.records();
  }

  view(address: Ip, now: BootMs): VipView | null {
    const vip = this.#vips.get(address);
    if (vip === undefined) return null;
    const verdicts = this.#candidates.verdicts(vip.spec, now);
    return { address, phase: vip.phase, record: vip.record, verdicts };
  }

  #apply(event: OwnershipEvent, now: BootMs): void {
    switch (event.type) {
      case "vips":
        return this.#onVips(event, now);
      case "segments":
        return this.#onSegments(event.segments, now);
      case "member":
        return this.#onMember(event.record, now);
      case "member-gone":
        return this.#onMemberGone(event.node, now);
      case "member-read":
        return this.#onMemberRead(event, now);
      case "vip-record":
        return this.#evaluate(this.#vips.observe(event.record), now);
      case "vip-record-gone":
        return this.#onVipRecordGone(event, now);
      case "records-read":
        return this.#onRecordsRead(event.records, now);
      case "presence-written":
        return this.#onPresenceWritten(event, now);
      case "vip-written":
        return this.#onVipWritten(event, now);
      case "heard":
        return this.#onHeard(event, now);
      case "tick":
        return now >= this.#vips.due ? this.#evaluateAll(now) : undefined;
      case "stop":
        if (this.#stop === "no") this.#stop = "releasing";
        return this.#evaluateAll(now);
      default:
        return unreachable(event);
    }
  }

  #onVips({ changed, freed }: EventOf<"vips">, now: BootMs): void {
    for (const address of freed) {
      this.#vips.remove(address);
      this.#ranking.forget(address);
    }
    for (const spec of changed) this.#evaluate(this.#vips.set(spec), now);
  }

  #onSegments(segments: readonly Segment[], now: BootMs): void {
    this.#segments = segments;
    this.#candidates.setOwnSegments(segments);
    if (this.#hasRecords && this.#stop === "no") this.#presence.renewNow(now);
    this.#evaluateAll(now);
  }

  #onMember(record: MemberRecord, now: BootMs): void {
    if (record.node === this.#node) return this.#presence.observe(record);
    if (this.#members.observe(record, now)) this.#evaluateAll(now);
  }

  #onMemberGone(node: string, now: BootMs): void {
    if (node !== this.#node) return this.#members.forget(node);
    this.#presence.observe(null);
    if (this.#stop === "no") this.#presence.renewNow(now);
  }

  #onMemberRead({ node, record }: EventOf<"member-read">, now: BootMs): void {
    if (node !== this.#node) {
      this.#members.confirm(node, record, now);
      return this.#evaluateAll(now);
    }
    if (record === "failed") return;
    this.#presence.observe(record);
    this.#presence.renewNow(now);
  }

  #onVipRecordGone(gone: EventOf<"vip-record-gone">, now: BootMs): void {
    this.#evaluate(this.#vips.forget(gone, after(now, this.#timings.retryMs)), now);
  }

  #onRecordsRead(records: EventOf<"records-read">["records"], now: BootMs): void {
    this.#isReading = false;
    const mustReadAgain = this.#mustReadAgain;
    this.#mustReadAgain = false;
    this.#vips.recordsRead(records === "failed" ? records : records.vips);
    if (records === "failed") {
      this.#readAt = after(now, this.#timings.retryMs);
      return;
    }
    if (mustReadAgain) this.#readRecords(now);
    for (const record of records.members) {
      if (record.node === this.#node) this.#presence.observe(record);
      else this.#members.observe(record, now);
    }
    if (!this.#hasRecords) this.#presence.renewNow(now);
    this.#hasRecords = true;
    this.#evaluateAll(now);
  }

  #onPresenceWritten(event: EventOf<"presence-written">, now: BootMs): void {
    const wasConfirmed = this.#presence.isConfirmed(now);
    const hadFailed = this.#presence.hasFailed;
    const hasMoved = this.#presence.written(event.sentAt, event.outcome, now);
    if (this.#stop === "leaving") {
      this.#stop = "done";
      this.#effects.push({ type: "stopped" });
      return;
    }
    if (event.outcome.kind === "conflict") {
      this.#effects.push({ type: "read-member", node: this.#node });
    }
    if (hasMoved) this.#effects.push({ type: "extend", until: this.#presence.tenureUntil });
    if (event.outcome.kind !== "written" || !this.#presence.isConfirmed(now)) return;
    if (hadFailed || !wasConfirmed) this.#members.excuseSilence(comebackMs(this.#timings), now);
    if (!wasConfirmed) this.#onConfirmedAgain(now);
  }

  /** After an outage what was known may not be acted on before it is read again. */
  #onConfirmedAgain(now: BootMs): void {
    this.#doubtRecords(now);
    this.#evaluateAll(now);
  }

  #doubtRecords(now: BootMs): void {
    this.#vips.doubtRecords(this.#isReading);
    this.#mustReadAgain = this.#isReading;
    if (!this.#isReading) this.#readRecords(now);
  }

  #onVipWritten({ address, outcome }: EventOf<"vip-written">, now: BootMs): void {
    const retryAt = after(now, this.#timings.retryMs);
    const situation = this.#situation(now);
    const options = { situation, retryAt, isReading: this.#isReading };
    if (!this.#vips.written(address, outcome, options)) this.#readRecords(now);
    this.#evaluate(this.#vips.get(address), now);
  }

  /**
   * RFC 5227 section 2.4: defend once in an interval while the record is known to be ours, and ask
   * whether it still is: the watch may be late. While the API is out of reach, or the records were
   * not read since, the other host may be the new owner: the answer on the wire decides.
   */
  #onHeard({ address, interface: name, mac }: EventOf<"heard">, now: BootMs): void {
    const vip = this.#vips.get(address);
    if (vip === undefined || vip.phase.kind !== "owning") return;
    const report = { type: "conflict", address, interface: name, mac } as const;
    const isConfirmed = this.#presence.isConfirmed(now);
    if (!isConfirmed || vip.doubt > 0) {
      const why = isConfirmed ? "while the record is in doubt" : "while the API is away";
      this.#vips.lose(vip, "another-host-answers", `${mac} on ${name} ${why}`);
      vip.doubt = newDoubt(this.#isReading);
      this.#effects.push({ ...report, resolution: "yielded" });
      if (isConfirmed) this.#readRecords(now);
      return;
    }
    const isDue = now >= nextDefence(vip, this.#timings.defendIntervalMs);
    if (isDue) {
      vip.defendedAt = now;
      this.#effects.push({ type: "announce", address });
      this.#readRecords(now);
    }
    this.#effects.push({ ...report, resolution: isDue ? "defended" : "counted" });
  }

  #evaluateAll(now: BootMs): void {
    this.#vips.evaluateAll(this.#situation(now), now);
  }

  #evaluate(vip: Vip | undefined, now: BootMs): void {
    if (vip !== undefined) this.#vips.evaluate(vip, this.#situation(now), now);
  }

  #situation(now: BootMs): Situation {
    return {
      node: this.#node,
      timings: this.#timings,
      members: this.#members,
      candidates: this.#candidates,
      mayAct: this.#hasRecords && this.#presence.isConfirmed(now),
      startHoldUntil: this.#startHoldUntil,
      isStopping: this.#stop !== "no",
    };
  }

  /** A process that slept past its tenure owns nothing until it has read what happened. */
  #lapse(now: BootMs): void {
    if (now < this.#presence.tenureUntil) return;
    const owned = this.#vips.owned();
    if (owned.length === 0) return;
    for (const vip of owned) {
      this.#vips.lose(vip, "tenure-lapsed", "the node Lease was not renewed in time");
    }
    this.#doubtRecords(now);
  }

  #keepPresence(now: BootMs): void {
    if (this.#stop === "leaving" || this.#stop === "done") return;
    if (this.#presence.holdOn(now)) {
      this.#effects.push({ type: "extend", until: this.#presence.tenureUntil });
    }
    if (this.#presence.shouldWrite(now)) this.#writePresence({ live: true });
  }

  #writePresence({ live }: { live: boolean }): void {
    const { resourceVersion } = this.#presence;
    const segments = this.#segments;
    this.#effects.push({ type: "write-presence", resourceVersion, live, segments });
  }

  /** One read at a time; another wish meanwhile is served after it. */
  #readRecords(now: BootMs): void {
    if (this.#isReading) {
      this.#readAt = after(now, this.#timings.retryMs);
      return;
    }
    this.#isReading = true;
    this.#readAt = NEVER;
    this.#vips.readSent();
    this.#effects.push({ type: "read-records" });
  }

  #finishStop(): void {
    if (this.#stop !== "releasing") return;
    if (this.#vips.isWriting() || this.#presence.isWriting) return;
    this.#stop = "leaving";
    this.#writePresence({ live: false });
  }

  #take(): OwnershipEffect[] {
    const effects = this.#effects;
    this.#effects = [];
    return effects;
  }
}

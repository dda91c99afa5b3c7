// The ownership machine of one node: `step(event, now)` returns effects in the order in which they
// must be done, `nextDeadline()` says when to step again with a tick. It reads no clock, does no
// I/O, and owns nothing beyond its tenure: the responder checks that at every reply.
//
// Not guaranteed: two halves of a split segment can each have an owner (design, section 4.10).

import type { Ip } from "../core/address.ts";
import { invariant, unreachable } from "../core/invariant.ts";
import type { BootMs } from "../core/time.ts";
import { after, earliest, NEVER } from "../core/time.ts";
import type { Situation } from "./action.ts";
import { Candidates } from "./candidates.ts";
import type { WireClaim } from "./claims.ts";
import { WireClaims } from "./claims.ts";
import { Listening } from "./listening.ts";
import { Members } from "./members.ts";
import { Membership } from "./membership.ts";
import { Neighbours } from "./neighbours.ts";
import { Orders } from "./orders.ts";
import { Presence } from "./presence.ts";
import { Ranking } from "./ranking.ts";
import { RecordReads } from "./record-reads.ts";
import type { Timings } from "./timings.ts";
import { checkTimings, comebackMs, holdMsFor } from "./timings.ts";
import type { OwnershipEffect, OwnershipEvent, OwnershipOptions, Segment } from "./types.ts";
import { OwnershipViews } from "./views.ts";
import type { Vip } from "./vip.ts";
import { VipTable } from "./vip-table.ts";
import { Wire } from "./wire.ts";

type EventOf<T extends OwnershipEvent["type"]> = Extract<OwnershipEvent, { type: T }>;

/** How long a node listens that cannot ask the API who owns what. */
const REMEMBERING_HOLDS = 3;

export class Ownership {
  /** For reading only. */
  readonly views: OwnershipViews;
  readonly #node: string;
  readonly #timings: Timings;
  readonly #members: Members;
  readonly #ranking: Ranking;
  readonly #candidates: Candidates;
  readonly #neighbours = new Neighbours();
  readonly #claims = new WireClaims(({ node, interface: name }) =>
    this.#neighbours.untoldSince(node, name),
  );
  readonly #presence: Presence;
  readonly #vips: VipTable;
  readonly #wire: Wire;
  #segments: readonly Segment[] = [];
  #startHoldUntil: BootMs = NEVER;
  /** While it listens to what the peers say, it takes nothing. */
  readonly #listening = new Listening((now) => this.holdMs(now));
  /** The last write got no answer. */
  #isHoldover = false;
  /** As of the last step: a change makes every VIP be looked at. */
  #wasInReach = false;
  #hasListened = false;
  /** True once all records were read since the start. */
  #hasRecords = false;
  readonly #reads: RecordReads;
  readonly #preempt: boolean;
  readonly #membership: Membership;
  readonly #orders: Orders;
  #stop: "no" | "releasing" | "leaving" | "done" = "no";
  #effects: OwnershipEffect[] = [];

  constructor(options: OwnershipOptions) {
    checkTimings(options.timings);
    this.#node = options.node;
    this.#timings = options.timings;
    this.#members = new Members(options.timings);
    this.#ranking = new Ranking(options.sha256);
    this.#candidates = new Candidates(options.node, {
      members: this.#members,
      neighbours: this.#neighbours,
      ranking: this.#ranking,
    });
    this.#presence = new Presence(options.timings);
    this.#preempt = options.preempt;
    this.#vips = new VipTable((effect) => this.#effects.push(effect));
    this.#reads = new RecordReads(options.timings.retryMs, () => {
      this.#vips.readSent();
      this.#effects.push({ type: "read-records" });
    });
    this.views = new OwnershipViews({
      vips: this.#vips,
      members: this.#members,
      candidates: this.#candidates,
      situation: (now) => this.#situation(now),
    });
    this.#orders = new Orders({
      vips: this.#vips,
      evaluate: (vip, now) => this.#evaluate(vip, now),
      evaluateAll: (now) => this.#evaluateAll(now),
      doubtRecords: (now) => this.#doubtRecords(now),
      renewPresence: (now) => this.#presence.renewNow(now),
    });
    this.#membership = new Membership({
      node: options.node,
      members: this.#members,
      neighbours: this.#neighbours,
      presence: this.#presence,
      isStopping: () => this.#stop !== "no",
      isHolder: (node) => this.#vips.records().some(({ owner }) => owner === node),
      evaluateAll: (now) => this.#evaluateAll(now),
    });
    this.#wire = new Wire({
      timings: options.timings,
      neighbours: this.#neighbours,
      claims: this.#claims,
      members: this.#members,
      vips: this.#vips,
      emit: (effect) => this.#effects.push(effect),
      evaluate: (vip, now) => this.#evaluate(vip, now),
      evaluateAll: (now) => this.#evaluateAll(now),
      readRecords: (now) => this.#reads.request(now),
      isReading: () => this.#reads.isReading,
      isApiInReach: (now) => this.#isApiInReach(now),
      canReadRecords: (now) => this.#canReadRecords(now),
    });
  }

  /** Asks for the records; the node joins as a member once it has them. Call once, first. */
  start(now: BootMs): OwnershipEffect[] {
    this.#startHoldUntil = after(now, this.#timings.startHoldMs);
    this.#listening.begin(1, now);
    this.#reads.request(now);
    return this.#take();
  }

  step(event: OwnershipEvent, now: BootMs): OwnershipEffect[] {
    invariant(this.#startHoldUntil !== NEVER, "step() after start()");
    if (this.#isDone) return [];
    this.#apply(event, now);
    if (this.#isDone) return this.#take();
    this.#watchTime(now);
    this.#keepPresence(now);
    this.#reads.wake(now);
    this.#finishStop();
    return this.#take();
  }

  /** When to step with a `tick` if nothing happens before. */
  nextDeadline(now: BootMs): BootMs {
    if (this.#stop === "leaving" || this.#stop === "done") return NEVER;
    const listenUntil = this.#listening.nextDeadline(now);
    const renewAt = this.#orders.isSilent ? NEVER : this.#presence.nextDeadline();
    return earliest(renewAt, this.#vips.due, this.#reads.due, listenUntil);
  }

  /** The longest that anybody may have to wait for a beacon, by the nodes that are known. */
  holdMs(now: BootMs): number {
    const others = Math.max(this.#members.alive(now).length, this.#neighbours.most());
    return Math.max(holdMsFor(this.#timings, others + 1), this.#neighbours.longestHoldMs());
  }

  owned(): Ip[] {
    return this.#vips.owned().map((vip) => vip.spec.address);
  }

  #apply(event: OwnershipEvent, now: BootMs): void {
    switch (event.type) {
      case "vips":
        return this.#onVips(event, now);
      case "segments":
        return this.#onSegments(event.segments, now);
      case "member":
      case "member-gone":
      case "member-read":
        return this.#membership.apply(event, now);
      case "vip-record":
        return this.#evaluate(this.#vips.observe(event.record), now);
      case "vip-record-gone":
        return this.#evaluate(this.#vips.forget(event, after(now, this.#timings.retryMs)), now);
      case "records-read":
        return this.#onRecordsRead(event.records, now);
      case "remembered":
        return this.#onRemembered(event, now);
      case "presence-written":
        return this.#onPresenceWritten(event, now);
      case "vip-written":
        return this.#onVipWritten(event, now);
      case "heard":
      case "peer-heard":
      case "peer-silent":
      case "peer-table-missing":
      case "peer-table":
      case "peer-table-change":
      case "peer-claim":
      case "peer-offer":
      case "peer-complaint":
        return this.#wire.apply(event, now);
      case "lapsed":
        return this.#onLapsed(event, now);
      case "presence-changed":
        return this.#renewPresence(now);
      case "undrain":
        // A node that slept may come to this before it is told that it did: what it knows is old.
        this.#listening.begin(1, now);
        return this.#orders.apply(event, now);
      case "drain":
      case "move":
      case "silence":
      case "owner-mute":
        return this.#orders.apply(event, now);
      case "tick":
        return this.#vips.evaluateDue(this.#situation(now), now);
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
      this.#claims.forgetAddress(address);
    }
    for (const spec of changed) this.#evaluate(this.#vips.set(spec), now);
  }

  #onSegments(segments: readonly Segment[], now: BootMs): void {
    const known = new Set(this.#segments.map((segment) => segment.interface));
    const isNew = segments.some((segment) => !known.has(segment.interface));
    // Who answers there is not known before its beacons were listened to.
    if (isNew) this.#listening.begin(1, now);
    this.#segments = segments;
    this.#candidates.setOwnSegments(segments);
    this.#membership.onSegments(segments, now);
    this.#renewPresence(now);
    this.#evaluateAll(now);
  }

  #renewPresence(now: BootMs): void {
    if (this.#hasRecords && this.#stop === "no") this.#presence.renewNow(now);
  }

  #onRecordsRead(records: EventOf<"records-read">["records"], now: BootMs): void {
    this.#vips.recordsRead(records === "failed" ? records : records.vips);
    this.#reads.ended(records === "failed" ? "failed" : "read", now);
    // Who waited for the records goes on without them.
    if (records === "failed") return this.#evaluateAll(now);
    this.#membership.onRead(records.members, now);
    if (!this.#hasRecords) this.#presence.renewNow(now);
    this.#hasRecords = true;
    this.#evaluateAll(now);
  }

  /** Without an API, what is heard in three holds decides about what is remembered (4.9). */
  #onRemembered({ vips, nodes }: EventOf<"remembered">, now: BootMs): void {
    if (this.#hasRecords) return;
    this.#hasRecords = true;
    this.#vips.recordsRead(vips);
    this.#listening.begin(REMEMBERING_HOLDS, now);
    this.#membership.expect(nodes, now);
    this.#presence.renewNow(now);
    this.#evaluateAll(now);
  }

  #onPresenceWritten(event: EventOf<"presence-written">, now: BootMs): void {
    const wasConfirmed = this.#presence.isConfirmed(now);
    const hadFailed = this.#presence.hasFailed;
    this.#presence.written(event.sentAt, event.outcome, now);
    this.#isHoldover = event.outcome.kind === "failed";
    if (this.#stop === "leaving") {
      this.#stop = "done";
      this.#effects.push({ type: "stopped" });
      return;
    }
    if (event.outcome.kind === "conflict") {
      this.#effects.push({ type: "read-member", node: this.#node });
    }
    if (event.outcome.kind !== "written" || !this.#presence.isConfirmed(now)) return;
    if (hadFailed || !wasConfirmed) this.#members.excuseSilence(comebackMs(this.#timings), now);
    if (wasConfirmed) return;
    // After an outage what was known may not be acted on before it is read again.
    this.#doubtRecords(now);
    this.#evaluateAll(now);
  }

  #doubtRecords(now: BootMs): void {
    this.#vips.doubtRecords(this.#reads.isReading);
    this.#reads.doubt(now);
  }

  #onVipWritten({ address, outcome }: EventOf<"vip-written">, now: BootMs): void {
    this.#isHoldover = outcome.kind === "failed";
    const retryAt = after(now, this.#timings.retryMs);
    const situation = this.#situation(now);
    const options = { situation, retryAt, isReading: this.#reads.isReading };
    if (!this.#vips.written(address, outcome, options)) this.#reads.request(now);
    this.#evaluate(this.#vips.get(address), now);
  }

  /** A process that slept past its tenure owns nothing until it knows what happened meanwhile. */
  #onLapsed({ interface: name, lapses }: EventOf<"lapsed">, now: BootMs): void {
    this.#vips.lapses = lapses;
    this.#listening.begin(1, now);
    for (const vip of this.#vips.owned()) {
      if (vip.phase.kind !== "owning" || !vip.phase.interfaces.includes(name)) continue;
      this.#vips.lose(vip, "tenure-lapsed", `no beacon left ${name} in time`);
    }
    this.#doubtRecords(now);
    this.#evaluateAll(now);
  }

  #isApiInReach(now: BootMs): boolean {
    return this.#presence.isConfirmed(now) && !this.#presence.hasFailed;
  }

  #canReadRecords(now: BootMs): boolean {
    return this.#isApiInReach(now) && !this.#reads.isFailing;
  }

  /** What changes by itself: the API gets out of reach, the listening ends, members are gone. */
  #watchTime(now: BootMs): void {
    const isInReach = this.#isApiInReach(now);
    const hasListened = this.#listening.isOver(now);
    const isGone = (node: string): boolean => {
      const status = this.#members.status(node, now);
      return status === "down" || status === "suspect";
    };
    const hasPruned = isInReach && this.#neighbours.prune(isGone, now);
    const isNews = isInReach !== this.#wasInReach || hasListened !== this.#hasListened;
    this.#wasInReach = isInReach;
    this.#hasListened = hasListened;
    if (isNews || hasPruned) this.#evaluateAll(now);
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
      neighbours: this.#neighbours,
      candidates: this.#candidates,
      vipAt: (address) => this.#vips.get(address),
      wireClaim: (vip) => this.#wireClaim(vip, now),
      isClaimed: (vip, by) => this.#claims.isClaimed(vip.spec.address, by, now),
      mayAct: this.#hasRecords && this.#listening.isOver(now) && !this.#orders.isSilent,
      isApiInReach: this.#isApiInReach(now),
      canReadRecords: this.#canReadRecords(now),
      isHoldover: this.#isHoldover,
      startHoldUntil: this.#startHoldUntil,
      isStopping: this.#stop !== "no",
      drain: this.#orders.drain,
      preempt: this.#preempt,
      nextMoveAt: () => this.#vips.nextMoveAt,
    };
  }

  #wireClaim(vip: Vip, now: BootMs): WireClaim | null {
    const isBetter = (node: string, than: string): boolean =>
      this.#candidates.isBetter(node, than, vip.spec);
    return this.#claims.strongest(vip.spec.address, isBetter, now);
  }

  #keepPresence(now: BootMs): void {
    const isLeaving = this.#stop === "leaving" || this.#isDone;
    if (isLeaving || this.#orders.isSilent) return;
    if (this.#presence.shouldWrite(now)) this.#writePresence({ live: true });
  }

  #writePresence({ live }: { live: boolean }): void {
    const about = { resourceVersion: this.#presence.resourceVersion, segments: this.#segments };
    this.#effects.push({ type: "write-presence", live, ...about });
  }

  #finishStop(): void {
    if (this.#stop !== "releasing") return;
    if (this.#vips.isBusy() || this.#presence.isWriting) return;
    this.#stop = "leaving";
    this.#writePresence({ live: false });
  }

  get #isDone(): boolean {
    return this.#stop === "done";
  }

  #take(): OwnershipEffect[] {
    const effects = this.#effects;
    this.#effects = [];
    return effects;
  }
}

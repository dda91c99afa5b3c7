// The VIPs of one node and what is done about them: evaluates, acts, and collects the effects in
// order. The machine tells it what happened; it knows nothing of node Leases but through `decide`.

import type { Ip } from "../core/address.ts";
import { Deadlines } from "../core/deadlines.ts";
import type { Epoch } from "../core/epoch.ts";
import { epochOf, NO_EPOCH } from "../core/epoch.ts";
import { unreachable } from "../core/invariant.ts";
import type { BootMs } from "../core/time.ts";
import { after, earliest, NEVER } from "../core/time.ts";
import type { Action, Situation } from "./action.ts";
import { decide } from "./decide.ts";
import type { Doubt } from "./doubt.ts";
import { doubtAfterRead, newDoubt } from "./doubt.ts";
import { Followers, ownerOfFirst } from "./followers.ts";
import { type StandIn, standInChanges, standInOf } from "./stand-in.ts";
import type {
  ClaimCause,
  LossCause,
  OwnershipEffect,
  VipRecord,
  VipSpec,
  WriteOutcome,
} from "./types.ts";
import type { Vip } from "./vip.ts";
import { IDLE, newVip, setRecord, takeDefence } from "./vip.ts";
import { VipRecords } from "./vip-records.ts";

type Claiming = Extract<Vip["phase"], { kind: "claiming" }>;

export class VipTable {
  readonly #emit: (effect: OwnershipEffect) => void;
  /** The lapses heard of: a grant goes with them. */
  lapses = 0;
  readonly #vips = new Map<Ip, Vip>();
  readonly #followers = new Followers();
  readonly #records = new VipRecords();
  /** Of the records as a whole: a VIP that is new starts with it. */
  #doubt: Doubt = 0;
  readonly #deadlines = new Deadlines<Vip>();
  /** Of the VIP that is being evaluated. */
  #due: BootMs = NEVER;
  /** No move that nobody waits for before this. */
  #nextMoveAt: BootMs = -NEVER as BootMs;

  constructor(emit: (effect: OwnershipEffect) => void) {
    this.#emit = emit;
  }

  /** When some VIP must be looked at again. */
  get due(): BootMs {
    return this.#deadlines.next;
  }

  get nextMoveAt(): BootMs {
    return this.#nextMoveAt;
  }

  get(address: Ip): Vip | undefined {
    return this.#vips.get(address);
  }

  all(): ReadonlyMap<Ip, Vip> {
    return this.#vips;
  }

  owned(): Vip[] {
    return [...this.#vips.values()].filter((vip) => vip.phase.kind === "owning");
  }

  records(): readonly VipRecord[] {
    return this.#records.all();
  }

  /** True while some VIP is owned, or a write of it is in flight. */
  isBusy(): boolean {
    return [...this.#vips.values()].some((vip) => vip.phase.kind !== "idle");
  }

  set(spec: VipSpec): Vip {
    this.#followers.set(spec);
    const known = this.#vips.get(spec.address);
    if (known !== undefined) {
      known.spec = spec;
      return known;
    }
    const vip = newVip(spec, this.#records.get(spec.address), this.#doubt);
    this.#vips.set(spec.address, vip);
    return vip;
  }

  /** The address is no VIP any more; its record is the leader's to remove. */
  remove(address: Ip): void {
    const vip = this.#vips.get(address);
    if (vip === undefined) return;
    this.lose(vip, "address-freed", "no Service has the address");
    this.#standInFor(vip, null);
    this.#followers.remove(address);
    this.#vips.delete(address);
    this.#deadlines.set(vip, NEVER);
  }

  /** A record that a watch delivered, perhaps late: an older one than is known changes nothing. */
  observe(record: VipRecord): Vip | undefined {
    if (!this.#records.observe(record)) return undefined;
    const vip = this.#vips.get(record.address);
    if (vip !== undefined) setRecord(vip, record);
    return vip;
  }

  /** The record was deleted. A live owner writes it again at once, the others leave it the time. */
  forget(gone: { address: Ip; resourceVersion?: string }, retryAt: BootMs): Vip | undefined {
    if (!this.#records.forget(gone)) return undefined;
    const vip = this.#vips.get(gone.address);
    if (vip === undefined) return undefined;
    vip.record = null;
    if (vip.phase.kind !== "owning") vip.retryAt = retryAt;
    return vip;
  }

  /** A read of all records is on its way. */
  readSent(): void {
    this.#records.readSent();
  }

  /** All records, straight from the API, or no answer; a watch may have shown newer ones. */
  recordsRead(records: readonly VipRecord[] | "failed"): void {
    if (records !== "failed") this.#records.replace(records);
    this.#doubt = doubtAfterRead(this.#doubt, records !== "failed");
    for (const vip of this.#vips.values()) {
      if (records !== "failed") setRecord(vip, this.#records.get(vip.spec.address));
      vip.doubt = doubtAfterRead(vip.doubt, records !== "failed");
    }
  }

  /** Nothing may be acted on before a read that is sent from now on has ended. */
  doubtRecords(isReading: boolean): void {
    this.#doubt = newDoubt(isReading);
    for (const vip of this.#vips.values()) vip.doubt = this.#doubt;
  }

  /** The end of a write; false when the records should be read. */
  written(address: Ip, outcome: WriteOutcome<VipRecord>, options: WrittenOptions): boolean {
    const isKnown = outcome.kind === "written";
    if (isKnown) this.#records.wrote(outcome.record);
    const vip = this.#vips.get(address);
    if (vip === undefined) return true;
    const { phase } = vip;
    if (isKnown) setRecord(vip, this.#records.get(address));
    else {
      vip.retryAt = options.retryAt;
      vip.doubt = newDoubt(options.isReading);
    }
    if (phase.kind === "owning") this.#afterRewrite(vip, options.situation.node);
    else if (phase.kind === "releasing") vip.phase = IDLE;
    else if (phase.kind === "claiming") {
      // Without an answer the claim stands: its time decides.
      vip.phase = outcome.kind === "failed" ? { ...phase, hasFailed: true } : IDLE;
      if (isKnown) this.#afterClaim(vip, phase, options.situation);
      else if (outcome.kind === "conflict") this.#emit({ type: "withdraw", address });
    }
    return isKnown;
  }

  /** What nobody took before may be taken now. */
  offerAnew(): void {
    for (const vip of this.#vips.values()) vip.offerAgainAt = -NEVER as BootMs;
  }

  evaluateAll(situation: Situation, now: BootMs): void {
    for (const vip of this.#vips.values()) this.evaluate(vip, situation, now);
  }

  /** Those whose time has come. */
  evaluateDue(situation: Situation, now: BootMs): void {
    for (const vip of this.#deadlines.take(now)) this.evaluate(vip, situation, now);
  }

  evaluate(vip: Vip, situation: Situation, now: BootMs): void {
    this.#due = NEVER;
    this.#look(vip, situation, now);
    this.#deadlines.set(vip, this.#due);
    for (const address of this.#followers.of(vip.spec.address)) {
      const follower = this.#vips.get(address);
      if (follower?.phase.kind !== "owning" || follower.apartSince !== null) continue;
      const isApart = ownerOfFirst(follower, situation) !== situation.node;
      if (isApart) this.evaluate(follower, situation, now);
    }
  }

  #look(vip: Vip, situation: Situation, now: BootMs): void {
    this.#act(vip, decide(vip, situation, now), situation, now);
    this.#standInFor(vip, standInOf(vip, situation, now));
    if (takeDefence(vip, now)) this.#emit({ type: "announce", address: vip.spec.address });
    this.#due = earliest(this.#due, vip.defendAt);
  }

  /** From owning to idle: stop answering first, then tell. */
  lose(vip: Vip, cause: LossCause, detail: string): void {
    if (vip.phase.kind !== "owning") return;
    const { address } = vip.spec;
    const { epoch } = vip.phase;
    vip.phase = IDLE;
    vip.offer = null;
    vip.refusedBy = [];
    vip.offerAgainAt = -NEVER as BootMs;
    vip.moveTo = null;
    vip.apartSince = null;
    // A node that slept may have it still: what was heard and read meanwhile tells.
    vip.ownEpoch = cause === "tenure-lapsed" ? epoch : NO_EPOCH;
    this.#emit({ type: "revoke", address });
    this.#emit({ type: "record", change: { type: "lost", address, epoch, cause, detail } });
  }

  #act(vip: Vip, action: Action, situation: Situation, now: BootMs): void {
    switch (action.kind) {
      case "wait":
        this.#due = earliest(this.#due, action.due);
        return;
      case "claim":
        this.#claim(vip, action, situation.node);
        return this.#look(vip, situation, now);
      case "abandon":
        vip.phase = IDLE;
        vip.retryAt = after(now, situation.timings.retryMs);
        this.#emit({ type: "withdraw", address: vip.spec.address });
        return this.#look(vip, situation, now);
      case "own-unwritten":
        if (vip.phase.kind === "claiming") this.#own(vip, vip.phase, vip.phase.epoch);
        return this.#look(vip, situation, now);
      case "resume": {
        const { interfaces, epoch } = action;
        const how = { cause: "resumed", previousOwner: situation.node, interfaces } as const;
        this.#own(vip, how, epoch);
        return this.#look(vip, situation, now);
      }
      case "adopt-epoch":
        this.#adoptEpoch(vip);
        return this.#look(vip, situation, now);
      case "offer":
        return this.#offer(vip, action, situation, now);
      case "repeat-offer":
        return this.#repeatOffer(vip, action.segment, situation, now);
      case "keep":
        vip.offer = null;
        vip.refusedBy = [];
        vip.moveTo = null;
        vip.offerAgainAt = after(now, situation.timings.offerAgainMs);
        return this.#look(vip, situation, now);
      case "regrant":
        this.#grant(vip, action.interfaces);
        this.#emit({ type: "announce", address: vip.spec.address });
        return;
      case "release":
        this.lose(vip, action.cause, action.detail);
        this.#release(vip, situation.node);
        return;
      case "yield":
        this.lose(vip, action.cause, action.detail);
        if (action.conflict !== null) this.#emit(action.conflict);
        // The new owner may die: this node must know when to look again.
        this.#look(vip, situation, now);
        return;
      case "rewrite":
        if (vip.phase.kind === "owning") vip.phase = { ...vip.phase, isRewriting: true };
        this.#write(vip, situation.node, vip.leaseEpochSeen + 1);
        return;
      case "read-member":
        this.#emit({ type: "read-member", node: action.node });
        this.#due = earliest(this.#due, situation.members.deadline(action.node, now));
        return;
      default:
        unreachable(action);
    }
  }

  /** Tells the peers and writes at the same time: whichever is answered first counts. */
  #claim(vip: Vip, claim: Extract<Action, { kind: "claim" }>, node: string): void {
    const { epoch, interfaces } = claim;
    vip.phase = { ...claim, kind: "claiming", hasFailed: false };
    vip.vacantSince = null;
    vip.isLetGo = false;
    this.#emit({ type: "claim", address: vip.spec.address, epoch, interfaces });
    this.#write(vip, node, vip.leaseEpochSeen + 1);
  }

  /** The one that was asked before, if any, did not take it. */
  #offer(
    vip: Vip,
    { to, segment, why, isPaced }: Extract<Action, { kind: "offer" }>,
    { timings }: Situation,
    now: BootMs,
  ): void {
    if (isPaced) this.#nextMoveAt = after(now, timings.moveGapMs);
    if (vip.offer !== null) vip.refusedBy = [...vip.refusedBy, vip.offer.to];
    const until = after(now, timings.offerMs);
    const repeatAt = after(now, timings.offerRepeatMs);
    vip.offer = { to, until, repeatAt, why, isAnnounced: false };
    this.#due = earliest(this.#due, until, repeatAt);
    this.#tellOffer(vip, segment);
  }

  #repeatOffer(vip: Vip, segment: string, { timings }: Situation, now: BootMs): void {
    if (vip.offer === null) return;
    const repeatAt = after(now, timings.offerRepeatMs);
    vip.offer = { ...vip.offer, repeatAt };
    this.#due = earliest(this.#due, vip.offer.until, repeatAt);
    this.#tellOffer(vip, segment);
  }

  #tellOffer({ phase, offer, spec }: Vip, segment: string): void {
    if (phase.kind !== "owning" || offer === null) return;
    const { epoch } = phase;
    this.#emit({ type: "offer", address: spec.address, epoch, interface: segment, to: offer.to });
  }

  #standInFor(vip: Vip, standIn: StandIn | null): void {
    const changes = standInChanges(vip.standsIn, standIn);
    vip.standsIn = standIn;
    const { address } = vip.spec;
    for (const change of changes) this.#emit({ type: "stand-in", address, ...change });
  }

  #release(vip: Vip, node: string): void {
    vip.ownEpoch = NO_EPOCH;
    if (vip.record?.owner !== node) return;
    vip.isLetGo = true;
    vip.phase = { kind: "releasing" };
    this.#write(vip, null, vip.record.epoch);
  }

  /** A claim counts only while what it stands on still holds. */
  #afterClaim(vip: Vip, claim: Claiming, situation: Situation): void {
    const own = situation.candidates.own(vip.spec);
    const isMine = vip.record?.owner === situation.node;
    if (!isMine || !own.eligible || !situation.mayAct || situation.isStopping) return;
    this.#own(vip, { ...claim, interfaces: own.interfaces }, epochOf(vip.record?.epoch ?? 0));
  }

  #afterRewrite(vip: Vip, node: string): void {
    if (vip.phase.kind !== "owning") return;
    vip.phase = { ...vip.phase, isRewriting: false };
    // After a conflict the record may be another's: with its epoch neither would yield.
    if (vip.record?.owner === node) this.#adoptEpoch(vip);
  }

  /** Where the record is ahead, its epoch counts from here on. */
  #adoptEpoch(vip: Vip): void {
    if (vip.phase.kind !== "owning" || vip.record === null) return;
    const recorded = epochOf(vip.record.epoch);
    if (recorded <= vip.phase.epoch) return;
    vip.phase = { ...vip.phase, epoch: recorded };
    this.#grant(vip, vip.phase.interfaces);
  }

  /** A claim that was announced without an answer is still being written. */
  #own(
    vip: Vip,
    how: {
      readonly cause: ClaimCause;
      readonly previousOwner: string | null;
      readonly interfaces: readonly string[];
    },
    epoch: Epoch,
  ): void {
    const { address } = vip.spec;
    const { cause, previousOwner, interfaces } = how;
    const change = { type: "gained", address, epoch, cause, previousOwner } as const;
    this.#emit({ type: "record", change });
    const isRewriting = vip.phase.kind === "claiming" && !vip.phase.hasFailed;
    vip.phase = { kind: "owning", epoch, interfaces, isRewriting };
    // Whoever has it next was not heard during that tenure yet.
    vip.heardHolder = null;
    vip.tookFrom = vip.offered;
    vip.offered = null;
    vip.isLetGo = false;
    this.#grant(vip, interfaces);
    this.#emit({ type: "claim", address, epoch, interfaces });
    this.#emit({ type: "announce", address });
  }

  #grant(vip: Vip, interfaces: readonly string[]): void {
    if (vip.phase.kind !== "owning") return;
    vip.phase = { ...vip.phase, interfaces };
    const { epoch } = vip.phase;
    const { address } = vip.spec;
    this.#emit({ type: "grant", address, epoch, interfaces, lapses: this.lapses });
  }

  #write(vip: Vip, owner: string | null, epoch: number): void {
    const resourceVersion = vip.record?.resourceVersion ?? null;
    this.#emit({ type: "write-vip", address: vip.spec.address, owner, epoch, resourceVersion });
  }
}

interface WrittenOptions {
  readonly situation: Situation;
  readonly retryAt: BootMs;
  readonly isReading: boolean;
}

// Drives the ownership machine: feeds it events, does its effects in order, wakes it at its
// deadlines. It decides nothing.

import { createHash } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import type { Ip } from "../core/address.ts";
import { unreachable } from "../core/invariant.ts";
import type { PeerEntry } from "../core/peer.ts";
import type { Clock } from "../core/time.ts";
import type { LeaseClient } from "../k8s-sync/leases.ts";
import { Ownership } from "../ownership/machine.ts";
import type { Timings } from "../ownership/timings.ts";
import type { OwnershipEffect, OwnershipEvent, VipRecord } from "../ownership/types.ts";
import { ClaimDurations } from "./claim-durations.ts";
import type { LeaseWriter } from "./lease-writer.ts";
import type { Namesake } from "./namesake.ts";
import {
  ANSWERS_ANNOTATION,
  formatSegments,
  memberRecord,
  nodeLeaseName,
  recordOf,
  SEGMENTS_ANNOTATION,
  vipLeaseName,
  vipRecord,
} from "./records.ts";
import type { ToResponder } from "./responder-messages.ts";
import type { Task } from "./tasks.ts";
import { aborted } from "./tasks.ts";

type EffectOf<T extends OwnershipEffect["type"]> = Extract<OwnershipEffect, { type: T }>;

export interface OwnershipDriverOptions {
  readonly node: string;
  /** Node and incarnation: the holder of the node Lease. */
  readonly identity: string;
  /** Of this host's Node; null while it is not known. */
  readonly nodeUid: () => string | null;
  /** Whether this node answers for what it owns: "yes", or "no: " and why. */
  readonly answers: () => string;
  readonly timings: Timings;
  readonly preempt: boolean;
  readonly clock: Clock;
  readonly leases: LeaseClient;
  readonly writer: LeaseWriter;
  readonly namesake: Pick<Namesake, "isSilencing">;
  readonly tellResponder: (message: ToResponder) => void;
  /** Called before the effect that the change is about is done. */
  readonly onChange: (change: EffectOf<"record">["change"]) => void;
  /** Writes down together what is changed meanwhile. */
  readonly atOnce: (work: () => void) => void;
  readonly onConflict: (conflict: EffectOf<"conflict">) => void;
  /** All records were read, for the first time since the start. */
  readonly onRead: (records: readonly VipRecord[]) => void;
  /** The API could not be read since the start: time to remember what it said before. */
  readonly onUnread: () => void;
}

/** A list takes longer than a write; an API that hangs must not keep a VIP in doubt for long. */
const LIST_TIMEOUT_MS = 5_000;
const PROBE_TARGETS_EVERY_MS = 500;
const WITHDRAW_GAP_MS = 100;
/**
 * It steps at least this often, also while it waits for an API that does not answer: the watchdog
 * of 15 s takes silence for a wedged loop.
 */
const TIMER_MS_MAX = 5_000;

export class OwnershipDriver implements Task {
  readonly name = "ownership";
  readonly #options: OwnershipDriverOptions;
  readonly #machine: Ownership;
  readonly #queue: OwnershipEvent[] = [];
  #isDraining = false;
  #isRunning = false;
  #timer: NodeJS.Timeout | undefined;
  #stopped = Promise.withResolvers<void>();
  #steps = 0;
  #tenureChanges = 0;
  #hasRead = false;
  readonly #firstRead = Promise.withResolvers<void>();
  #isSilent = false;
  /** Of the present step. */
  readonly claims = new ClaimDurations();
  #claims: EffectOf<"claim">[] = [];
  #offers: EffectOf<"offer">[] = [];
  /** The table was told just now, and is to be told again or not. */
  #withdrawing: "once" | "again" | null = null;
  #probeTargets: ReadonlyMap<string, readonly Ip[]> = new Map();

  constructor(options: OwnershipDriverOptions) {
    this.#options = options;
    const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");
    const { node, timings, preempt } = options;
    this.#machine = new Ownership({ node, timings, sha256, preempt });
  }

  /** For reading only: what the views show. */
  get machine(): Ownership {
    return this.#machine;
  }

  /** Resolves when the first read of the records has ended, well or not. */
  get firstRead(): Promise<void> {
    return this.#firstRead.promise;
  }

  /** Counts up with every change of what this node owns, and where. */
  get tenureChanges(): number {
    return this.#tenureChanges;
  }

  /** Counts up with every step: progress of the main loop. */
  get progress(): number {
    return this.#steps;
  }

  post(event: OwnershipEvent): void {
    this.#queue.push(event);
    if (this.#isRunning) this.#drain();
  }

  async run(signal: AbortSignal): Promise<void> {
    this.#isRunning = true;
    this.#perform(this.#machine.start(this.#options.clock.boot()));
    this.#drain();
    const targets = setInterval(() => this.#tellProbeTargets(), PROBE_TARGETS_EVERY_MS);
    await aborted(signal);
    clearInterval(targets);
    this.#isRunning = false;
    clearTimeout(this.#timer);
  }

  /**
   * Releases everything; resolves when that is done, or when it cannot be done in time. The records
   * of a host that has this node's name, and is older, are not this one's to release.
   */
  async stop(timeoutMs: number): Promise<void> {
    if (this.#options.namesake.isSilencing) return;
    this.#options.tellResponder({ type: "state", state: "stopping" });
    this.post({ type: "stop" });
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, timeoutMs);
    });
    await Promise.race([this.#stopped.promise, late]);
    clearTimeout(timer);
  }

  /**
   * Asks the peers to leave this node what it has for a while, and goes on until that has been said
   * more than once: a daemon that starts anew is expected here.
   */
  async leaveForRestart(): Promise<void> {
    if (this.#options.namesake.isSilencing) return;
    this.#options.tellResponder({ type: "state", state: "restarting" });
    await sleep(this.#machine.holdMs(this.#options.clock.boot()));
  }

  #drain(): void {
    if (this.#isDraining) return;
    this.#isDraining = true;
    for (let event = this.#queue.shift(); event !== undefined; event = this.#queue.shift()) {
      this.#step(event);
    }
    this.#isDraining = false;
    this.#arm();
  }

  #step(event: OwnershipEvent): void {
    this.#steps += 1;
    const isSilent = this.#options.namesake.isSilencing;
    if (isSilent !== this.#isSilent) {
      this.#isSilent = isSilent;
      this.#step({ type: "silence", isSilent });
    }
    this.#perform(this.#machine.step(event, this.#options.clock.boot()));
  }

  #arm(): void {
    clearTimeout(this.#timer);
    const now = this.#options.clock.boot();
    const wait = Math.min(Math.max(0, this.#machine.nextDeadline(now) - now), TIMER_MS_MAX);
    this.#timer = setTimeout(() => this.post({ type: "tick" }), Math.ceil(wait));
  }

  #perform(effects: readonly OwnershipEffect[]): void {
    const changes = effects.filter(({ type }) => type === "record").length;
    const all = (): void => {
      for (const effect of effects) this.#performOne(effect);
    };
    if (changes > 1) this.#options.atOnce(all);
    else all();
    if (this.#claims.length > 0) this.#sendClaims();
    if (this.#offers.length > 0) this.#sendOffers();
  }

  /** Many claims at once go in few datagrams. */
  #sendClaims(): void {
    const claims = Map.groupBy(this.#claims, ({ interfaces }) => interfaces.join(" "));
    this.#claims = [];
    for (const [{ interfaces }, entries] of pairsOf(claims)) {
      this.#options.tellResponder({ type: "claim", entries, interfaces });
    }
  }

  /** The whole table goes to everybody: once for all claims that are given up in a while. */
  #withdraw(): void {
    if (this.#withdrawing !== null) {
      this.#withdrawing = "again";
      return;
    }
    this.#withdrawing = "once";
    this.#options.tellResponder({ type: "withdraw" });
    const timer = setTimeout(() => {
      const isDue = this.#withdrawing === "again";
      this.#withdrawing = null;
      if (isDue) this.#withdraw();
    }, WITHDRAW_GAP_MS);
    timer.unref();
  }

  #sendOffers(): void {
    const offers = Map.groupBy(this.#offers, ({ to, interface: name }) => `${to} ${name}`);
    this.#offers = [];
    for (const [{ to, interface: name }, entries] of pairsOf(offers)) {
      this.#options.tellResponder({ type: "offer", to, interface: name, entries });
    }
  }

  /** Whom to ask for what when it falls silent. */
  #tellProbeTargets(): void {
    const targets = this.#machine.views.probeTargets(this.#options.clock.boot());
    if (isDeepStrictEqual(targets, this.#probeTargets)) return;
    this.#probeTargets = targets;
    this.#options.tellResponder({ type: "probe-targets", targets });
  }

  #performOne(effect: OwnershipEffect): void {
    const { tellResponder, onChange, onConflict } = this.#options;
    switch (effect.type) {
      case "record":
        this.claims.changed(effect.change, this.#options.clock.boot());
        return onChange(effect.change);
      case "grant":
        this.#tenureChanges += 1;
        return tellResponder({
          type: "grant",
          address: effect.address,
          epoch: effect.epoch,
          interfaces: effect.interfaces,
          lapses: effect.lapses,
        });
      case "revoke":
        this.#tenureChanges += 1;
        return tellResponder({ type: "revoke", address: effect.address });
      case "claim":
        this.claims.claimed(effect.address, this.#options.clock.boot());
        return void this.#claims.push(effect);
      case "offer":
        return void this.#offers.push(effect);
      case "stand-in": {
        const { address, interface: name, mac } = effect;
        return tellResponder({ type: "stand-in", address, interface: name, mac });
      }
      case "withdraw":
        this.claims.withdrawn(effect.address);
        return this.#withdraw();
      case "retell":
        return tellResponder({ type: "retell", node: effect.node, interface: effect.interface });
      case "announce":
        return tellResponder({ type: "announce", address: effect.address });
      case "conflict":
        return onConflict(effect);
      case "write-presence":
        return void this.#writePresence(effect);
      case "write-vip":
        return this.#options.writer.enqueue(() => this.#writeVip(effect));
      case "read-member":
        return void this.#readMember(effect.node);
      case "read-records":
        return void this.#readRecords();
      case "stopped":
        return this.#stopped.resolve();
      default:
        return unreachable(effect);
    }
  }

  async #writePresence(effect: EffectOf<"write-presence">): Promise<void> {
    const { node, identity, nodeUid, answers, timings, writer } = this.#options;
    const uid = nodeUid();
    // The API server's garbage collector removes it after the Node, as it does the kubelet's.
    const owner = { apiVersion: "v1", kind: "Node", name: node };
    const lease = {
      name: nodeLeaseName(node),
      labels: MANAGED_BY,
      annotations: {
        [SEGMENTS_ANNOTATION]: formatSegments(effect.segments),
        [ANSWERS_ANNOTATION]: answers(),
      },
      holderIdentity: effect.live ? identity : "",
      leaseDurationSeconds: timings.leaseDurationMs / 1_000,
      leaseTransitions: 0,
      ...(uid === null ? {} : { ownerReferences: [{ ...owner, uid }] }),
    };
    const { resourceVersion } = effect;
    const request = { lease, resourceVersion, timeoutMs: timings.writeTimeoutMs };
    const { sentAt, outcome } = await writer.write(request, memberRecord);
    this.post({ type: "presence-written", sentAt, outcome });
  }

  async #writeVip(effect: EffectOf<"write-vip">): Promise<void> {
    const { timings, writer, clock } = this.#options;
    const { address, owner, epoch, resourceVersion } = effect;
    const lease = {
      name: vipLeaseName(address),
      labels: MANAGED_BY,
      holderIdentity: owner ?? "",
      leaseDurationSeconds: timings.leaseDurationMs / 1_000,
      leaseTransitions: epoch,
      acquireTime: clock.wall(),
    };
    const request = { lease, resourceVersion, timeoutMs: timings.writeTimeoutMs };
    const { outcome } = await writer.write(request, (written) => vipRecord(written, address));
    this.post({ type: "vip-written", address, outcome });
  }

  async #readMember(node: string): Promise<void> {
    const { leases, timings } = this.#options;
    const read = await leases.get(nodeLeaseName(node), { timeoutMs: timings.writeTimeoutMs });
    if (read.ok) this.post({ type: "member-read", node, record: memberRecord(read.value) });
    else {
      const record = read.failure.kind === "not-found" ? null : "failed";
      this.post({ type: "member-read", node, record });
    }
  }

  async #readRecords(): Promise<void> {
    const read = await this.#options.leases.list({ timeoutMs: LIST_TIMEOUT_MS });
    this.#firstRead.resolve();
    if (!read.ok) {
      if (!this.#hasRead) this.#options.onUnread();
      this.post({ type: "records-read", records: "failed" });
      return;
    }
    const isFirst = !this.#hasRead;
    this.#hasRead = true;
    const records = read.value.items.map(recordOf);
    const vips = records.flatMap((entry) => (entry.kind === "vip" ? [entry.record] : []));
    const members = records.flatMap((entry) => (entry.kind === "member" ? [entry.record] : []));
    this.post({ type: "records-read", records: { vips, members } });
    if (isFirst) this.#options.onRead(vips);
  }
}

/** Label by which `kubectl get leases -l` finds lbd's records. */
export const MANAGED_BY = { "app.kubernetes.io/managed-by": "lbd" } as const;

/** The first of each group, which tells what they have in common, and the entries of all. */
function pairsOf<T extends PeerEntry>(
  groups: ReadonlyMap<string, readonly T[]>,
): [T, PeerEntry[]][] {
  return [...groups.values()].flatMap((group): [T, PeerEntry[]][] => {
    const first = group[0];
    const entries = group.map(({ address, epoch }) => ({ address, epoch }));
    return first === undefined ? [] : [[first, entries]];
  });
}

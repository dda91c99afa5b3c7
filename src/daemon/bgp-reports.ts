// Tells, by Event and in the log, what changes of BGP on this node: sessions, what is announced,
// what is in conflict, and what FRR lost or somebody changed. Each change once.

import type { FrrFailure } from "../bgp/frr.ts";
import type { SessionState } from "../bgp/sessions.ts";
import type { Clock } from "../core/time.ts";
import type { EventInput } from "../k8s-sync/events.ts";
import { type BgpState, isOf } from "./bgp-task.ts";
import type { ClusterView } from "./cluster-view.ts";
import { regardingOf } from "./config-objects.ts";
import type { Logger } from "./logger.ts";
import type { ServiceEvents } from "./service-events.ts";

export interface BgpReportsOptions {
  readonly node: string;
  /** Of the BGPPeers. */
  readonly namespace: string;
  readonly clock: Pick<Clock, "boot">;
  readonly log: Pick<Logger, "info" | "warn">;
  readonly cluster: Pick<ClusterView, "services" | "configObjects">;
  readonly events: Pick<ServiceEvents, "announcingByBgp" | "conflictingAdvertisements">;
  readonly record: (event: EventInput) => void;
}

/** So many lines are told of what was changed by hand. */
const LINES_MAX = 3;

export class BgpReports {
  readonly #options: BgpReportsOptions;
  /** By name of the BGPPeer. */
  readonly #wasUp = new Map<string, boolean>();
  #announced: ReadonlyMap<string, readonly string[]> = new Map();
  #conflicts: ReadonlyMap<string, string> = new Map();
  #hasLooked = false;
  #refused: string | null = null;
  #failure = "";
  #restored: { readonly at: number; readonly lines: readonly string[] } | null = null;
  #conflictText = "";

  constructor(options: BgpReportsOptions) {
    this.#options = options;
  }

  /** Lines of lbd that somebody else changed since then. */
  restoredSince(since: number): readonly string[] {
    return this.#restored !== null && this.#restored.at > since ? this.#restored.lines : [];
  }

  /** True when other Services are announced than before, or to others. */
  looked(state: BgpState): boolean {
    const isBaseline = !this.#hasLooked && state.applied?.commands === 0;
    if (state.applied !== null) this.#hasLooked = true;
    this.#tellFailure(state.failure);
    // A daemon that was started anew finds what it had said before: that is no news.
    if (isBaseline) return this.#takeAsTold(state);
    if (state.applied !== null) this.#tellApplied(state);
    if (state.failure === null) this.#tellSessions(state);
    this.#tellConflicts(state.decision.conflicts);
    // What FRR was not told is not announced.
    const isTold = state.failure === null && state.applied !== null;
    return isTold && this.#tellAnnounced(state.decision.announced);
  }

  #takeAsTold({ decision, sessions }: BgpState): boolean {
    for (const { peer } of decision.intent.peers) {
      const isUp = sessions.some((one) => one.isUp && isOf(peer, one));
      this.#wasUp.set(peer.name, isUp);
    }
    this.#announced = decision.announced;
    return true;
  }

  #tellFailure(failure: FrrFailure | null): void {
    const text = failure?.message ?? "";
    if (text === this.#failure) return;
    const { log } = this.#options;
    if (failure !== null) log.warn({ event: "bgp-failure", kind: failure.kind }, text);
    else log.info({ event: "bgp-works" }, "FRR can be driven again");
    this.#failure = text;
  }

  #tellApplied({ applied }: BgpState): void {
    const { log } = this.#options;
    if (applied === null) return;
    const { commands, restored, wasEmpty, conflicts, refused } = applied;
    if (wasEmpty) {
      log.warn({ event: "bgp-frr-restarted" }, "FRR had lost all of lbd: it was started anew?");
    }
    if (restored.length > 0) {
      this.#restored = { at: this.#options.clock.boot(), lines: restored };
      const shown = restored.slice(0, LINES_MAX).join("; ");
      const more = restored.length > LINES_MAX ? ` and ${restored.length - LINES_MAX} more` : "";
      const text = `lines of lbd in FRR were changed by somebody else, and are restored: ${shown}`;
      log.warn({ event: "bgp-restored", lines: restored.length }, text + more);
    }
    const isNews = refused === null || refused !== this.#refused;
    this.#refused = refused;
    if (commands > 0 && isNews)
      log.info({ event: "bgp-applied", commands }, "FRR was told what is new");
    const text = conflicts.map((one) => one.text).join("; ");
    if (text !== "" && text !== this.#conflictText) log.warn({ event: "bgp-conflict" }, text);
    this.#conflictText = text;
  }

  #tellSessions({ sessions, decision }: BgpState): void {
    for (const { peer } of decision.intent.peers) {
      const session = sessions.find((one) => isOf(peer, one));
      if (session === undefined) continue;
      const { isUp } = session;
      const wasUp = this.#wasUp.get(peer.name) ?? false;
      this.#wasUp.set(peer.name, isUp);
      if (isUp === wasUp) continue;
      this.#tellSession(peer.name, session);
    }
    const names = new Set(decision.intent.peers.map(({ peer }) => peer.name));
    for (const name of this.#wasUp.keys()) if (!names.has(name)) this.#wasUp.delete(name);
  }

  #tellSession(peer: string, { isUp, lastReset, neighbor, vrf, bfd }: SessionState): void {
    const { node, namespace, log, cluster, record } = this.#options;
    const why = isUp ? "" : `: ${downText({ lastReset, bfd })}`;
    const note = `session of node "${node}" with ${neighbor} is ${isUp ? "up" : "down"}${why}`;
    const about = { event: "bgp-session", peer, neighbor, vrf, up: isUp } as const;
    if (isUp) log.info(about, note);
    else log.warn(about, note);
    const ref = { kind: "BGPPeer", namespace, name: peer };
    const regarding = regardingOf(cluster.configObjects, ref);
    const type = isUp ? "Normal" : "Warning";
    const reason = isUp ? "BGPSessionUp" : "BGPSessionDown";
    record({ regarding, type, reason, action: "Announce", note });
  }

  #tellConflicts(conflicts: ReadonlyMap<string, string>): void {
    for (const [key, why] of conflicts) {
      if (this.#conflicts.get(key) === why) continue;
      const service = this.#options.cluster.services.get(key);
      if (service !== undefined) this.#options.events.conflictingAdvertisements(service, why);
    }
    this.#conflicts = conflicts;
  }

  #tellAnnounced(announced: ReadonlyMap<string, readonly string[]>): boolean {
    const before = this.#announced;
    this.#announced = announced;
    for (const key of announced.keys()) {
      const service = before.has(key) ? undefined : this.#options.cluster.services.get(key);
      if (service !== undefined) this.#options.events.announcingByBgp(service);
    }
    const isSame = (key: string): boolean => announced.get(key)?.join() === before.get(key)?.join();
    return before.size !== announced.size || ![...announced.keys()].every(isSame);
  }
}

/** Why it is down, as far as FRR says. */
export function downText({ lastReset, bfd }: Pick<SessionState, "lastReset" | "bfd">): string {
  const isByBfd = bfd !== null && !bfd.isUp && bfd.status !== "unknown";
  const diagnostic = bfd?.diagnostic ?? null;
  const watched = isByBfd
    ? `BFD is ${bfd.status}${diagnostic === null ? "" : ` (${diagnostic})`}`
    : "";
  return [lastReset ?? "no connection yet", watched].filter((text) => text !== "").join("; ");
}

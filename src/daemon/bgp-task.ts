// Has the routing daemon say what this node is to say by BGP, and looks whether it does: after each
// change of the cluster, and every few seconds for what changed by itself.

import type { Applied, Frr, FrrFailure, Result } from "../bgp/frr.ts";
import type { BgpIntent } from "../bgp/intent.ts";
import { neighborName } from "../bgp/render.ts";
import type { SessionState } from "../bgp/sessions.ts";
import type { BgpPeer } from "../config/bgp-peer.ts";
import { errorText } from "../core/errors.ts";
import type { Clock } from "../core/time.ts";
import { after, type BootMs, bootMs } from "../core/time.ts";
import { type Sleep, timerSleep } from "../k8s-sync/sleep.ts";
import { Waker } from "../k8s-sync/waker.ts";
import { type BgpDecision, NOTHING_BY_BGP } from "./bgp-decision.ts";
import type { PeerPasswords } from "./peer-passwords.ts";
import { type Task, unlessAborted } from "./tasks.ts";

export interface BgpTaskOptions {
  readonly frr: Pick<Frr, "apply" | "sessions">;
  readonly clock: Pick<Clock, "boot">;
  readonly passwords: Pick<PeerPasswords, "read">;
  /** Null: the cluster is not known yet, and what was set stays. */
  readonly decide: () => BgpDecision | null;
  /** The peers of this node, with or without a password. */
  readonly peers: () => readonly BgpPeer[];
  readonly onLooked: (state: BgpState) => void;
  readonly sleep?: Sleep;
}

export interface BgpState {
  readonly decision: BgpDecision;
  /** Of the last time that all was as wanted, or made so; null: not yet. */
  readonly applied: Applied | null;
  readonly failure: FrrFailure | null;
  /** Of the peers that are lbd's. */
  readonly sessions: readonly SessionState[];
}

/** Before the first look. */
export const NO_BGP_YET: BgpState = {
  decision: NOTHING_BY_BGP,
  applied: null,
  failure: null,
  sessions: [],
};

/** What changes together is told together. */
const SETTLE_MS = 20;
const LOOK_EVERY_MS = 5_000;
/** While a session is not up, or FRR does not answer. */
const LOOK_SOON_MS = 2_000;
const SECRETS_EVERY_MS = 60_000;
const SECRETS_SOON_MS = 5_000;
/** After the last update has left: a router needs as long to choose another way. */
const ROUTERS_MS = 500;
const WITHDRAW_LOOK_MS = 50;
const LONG_AGO = Number.NEGATIVE_INFINITY as BootMs;
const NEVER_ABORTED = new AbortController().signal;

export class BgpTask implements Task {
  readonly name = "bgp";
  readonly #options: BgpTaskOptions;
  readonly #sleep: Sleep;
  readonly #waker = new Waker();
  #state = NO_BGP_YET;
  /** False: FRR need not be there. It may have something of a former life of the daemon. */
  #isUsed = false;
  #hasLooked = false;
  #isReading = false;
  /** What FRR was told last; null: it could not be. */
  #appliedText: string | null = null;
  /** When FRR is looked at again, though nothing has changed. */
  #dueAt: BootMs = bootMs(0);
  #secretsReadAt: BootMs = LONG_AGO;
  #looking: Promise<void> = Promise.resolve();

  constructor(options: BgpTaskOptions) {
    this.#options = options;
    this.#sleep = options.sleep ?? timerSleep;
  }

  get state(): BgpState {
    return this.#state;
  }

  /** Something may be to be said otherwise. */
  kick({ config }: { readonly config: boolean }): void {
    if (config) this.#secretsReadAt = LONG_AGO;
    this.#waker.wake();
  }

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      void this.#readSecrets();
      await unlessAborted(this.#queued(false), signal);
      await this.#waker.wait(signal, (woken) => this.#sleep(this.#pauseMs(), woken));
      await this.#sleep(SETTLE_MS, signal);
    }
  }

  /** One at a time. Whoever ends does not wait for one that hangs. */
  look(): Promise<void> {
    return this.#queued(true);
  }

  #queued(isForced: boolean): Promise<void> {
    this.#looking = this.#looking
      .then(() => this.#look(isForced))
      .catch((thrown: unknown) => this.#failed(thrown));
    return this.#looking;
  }

  /** BGP alone is without it: all else goes on. */
  #failed(thrown: unknown): void {
    const message = `A look at FRR failed: ${errorText(thrown)}`;
    this.#state = { ...this.#state, failure: { kind: "hung", message } };
  }

  /** The decision is to announce nothing: resolves when the routers know, or the time is over. */
  async withdrawn(timeoutMs: number): Promise<void> {
    const { clock } = this.#options;
    const until = after(clock.boot(), timeoutMs);
    await this.look();
    if (!this.#isUsed || this.#state.failure !== null) return;
    const { sessions } = this.#state;
    if (!sessions.some(({ isUp }) => isUp)) return;
    while (clock.boot() < until && this.#state.sessions.some(hasNotSaidAll)) {
      await this.#sleep(WITHDRAW_LOOK_MS, NEVER_ABORTED);
      await this.look();
    }
    const leftMs = Math.max(0, until - clock.boot());
    await this.#sleep(Math.min(ROUTERS_MS, leftMs), NEVER_ABORTED);
  }

  #pauseMs(): number {
    const { failure, sessions, decision } = this.#state;
    if (!this.#isUsed) return LOOK_EVERY_MS;
    const isWell = failure === null && sessions.every(({ isUp }) => isUp);
    const isTakingBack = decision.withheld !== null && sessions.some(hasNotSaidAll);
    const isCalm = isWell && !isTakingBack && decision.unknownPasswords.length === 0;
    return isCalm ? LOOK_EVERY_MS : LOOK_SOON_MS;
  }

  async #look(isForced: boolean): Promise<void> {
    const { frr, decide, onLooked, clock } = this.#options;
    const decision = decide();
    if (decision === null) return;
    const isWanted = decision.intent.peers.length > 0;
    const isIdle = !isWanted && !this.#isUsed && this.#hasLooked;
    // Much changes in a cluster that changes nothing here.
    const text = textOf(decision.intent);
    const isDue = isForced || text !== this.#appliedText || clock.boot() >= this.#dueAt;
    if (isIdle || !isDue) {
      this.#state = { ...this.#state, decision, applied: asBefore(this.#state.applied) };
      return onLooked(this.#state);
    }
    this.#hasLooked = true;
    const applied = await frr.apply(decision.intent);
    // Without peers a host needs no FRR; one that is there may have something left to take away.
    const failure = applied.ok || !(isWanted || this.#isUsed) ? null : applied.failure;
    this.#isUsed = isWanted || failure !== null;
    const value = applied.ok ? applied.value : null;
    const read = applied.ok ? await this.#sessions(applied.value, decision) : null;
    const unread = read?.ok === false ? read.failure : null;
    const sessions = read?.ok === true ? read.value : [];
    this.#state = { decision, applied: value, failure: failure ?? unread, sessions };
    this.#appliedText = applied.ok ? text : null;
    this.#dueAt = after(clock.boot(), this.#pauseMs());
    onLooked(this.#state);
  }

  async #sessions(
    { peers }: Applied,
    decision: BgpDecision,
  ): Promise<Result<readonly SessionState[]>> {
    if (peers.length === 0) return { ok: true, value: [] };
    const hasBfd = decision.intent.bfdProfiles.length > 0;
    const read = await this.#options.frr.sessions(hasBfd);
    if (!read.ok) return read;
    const all = decision.intent.peers.filter(({ peer }) => peers.includes(peer.name));
    const ours = read.value.filter((session) => all.some(({ peer }) => isOf(peer, session)));
    return { ok: true, value: ours };
  }

  /** Beside the looks: an API that does not answer keeps no route from being taken back. */
  async #readSecrets(): Promise<void> {
    const { clock, passwords, peers, decide } = this.#options;
    // As long as the cluster is not known nobody knows whose passwords are still in use.
    const everyMs = this.#isWaiting() ? SECRETS_SOON_MS : SECRETS_EVERY_MS;
    const isDue = clock.boot() >= after(this.#secretsReadAt, everyMs);
    if (this.#isReading || !isDue || decide() === null) return;
    this.#isReading = true;
    // A change of the configuration meanwhile makes them due at once.
    this.#secretsReadAt = clock.boot();
    const isNews = await passwords.read(peers()).catch(() => false);
    this.#isReading = false;
    if (isNews) this.#waker.wake();
  }

  /** For a password: one is not known, or is perhaps another by now. */
  #isWaiting(): boolean {
    const { decision, sessions } = this.#state;
    const { unknownPasswords, intent } = decision;
    const isUp = (peer: BgpPeer): boolean => sessions.some((one) => one.isUp && isOf(peer, one));
    const isProtected = intent.peers.some(({ peer, password }) => password !== null && !isUp(peer));
    return unknownPasswords.length > 0 || isProtected;
  }
}

/** Nothing was done this time. */
function asBefore(applied: Applied | null): Applied | null {
  return applied && { ...applied, commands: 0, restored: [], wasEmpty: false };
}

/** Two intents with the same text are the same. */
function textOf(intent: BgpIntent): string {
  return JSON.stringify(intent, (_, value: unknown) => (value instanceof Map ? [...value] : value));
}

export function isOf(peer: Pick<BgpPeer, "to" | "vrf">, { neighbor, vrf }: SessionState): boolean {
  return neighbor === neighborName(peer) && vrf === peer.vrf;
}

/** The peer is still to hear that the routes go. */
export function hasNotSaidAll({ isUp, sent, queued }: SessionState): boolean {
  return isUp && (sent > 0 || queued > 0);
}

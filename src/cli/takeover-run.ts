// Goes the way over or back step by step: looks where the cluster is, does what comes next, or
// waits for it, with a limit. It remembers nothing that the cluster does not hold.

import { AppError } from "../core/errors.ts";
import { after, type BootMs } from "../core/time.ts";
import type { Deed, Step, TakeoverState, Wait } from "../migration/takeover-state.ts";
import {
  type Direction,
  deedText,
  isRefusal,
  troubleText,
  waitLimit,
  waitText,
} from "../migration/takeover-texts.ts";

export interface TakeoverPorts {
  /** Throws AppError API_UNREACHABLE. */
  readonly read: () => Promise<TakeoverState>;
  /** False: something has changed since it was read, and it is not done. */
  readonly perform: (deed: Deed) => Promise<boolean>;
  /** One line a step. */
  readonly say: (text: string) => void;
  readonly now: () => BootMs;
  readonly sleep: (milliseconds: number) => Promise<void>;
}

const LOOK_EVERY_MS = 500;
/** An API server that is away for longer needs somebody. */
const UNREACHABLE_MS_MAX = 60_000;
/** Others write to a DaemonSet, too: its status changes while pods come and go. */
const ATTEMPTS_MAX = 20;

export class TakeoverRun {
  readonly #ports: TakeoverPorts;
  readonly #next: (state: TakeoverState) => Step;
  readonly #direction: Direction;
  /** What was done: somebody who undoes it would be fought forever. */
  readonly #done = new Set<string>();
  #attempts = 0;
  #hasRead = false;
  #waiting: { readonly key: string; readonly until: BootMs } | null = null;

  constructor(
    ports: TakeoverPorts,
    way: { readonly next: (state: TakeoverState) => Step; readonly direction: Direction },
  ) {
    this.#ports = ports;
    this.#next = way.next;
    this.#direction = way.direction;
  }

  /** The state at the end. Throws AppError REFUSED, DAEMON_TIMEOUT or API_UNREACHABLE. */
  async run(): Promise<TakeoverState> {
    for (;;) {
      const state = await this.#read();
      const step = this.#next(state);
      if ("end" in step) return state;
      if ("wait" in step) await this.#wait(step, state);
      else await this.#do(step, state);
    }
  }

  async #read(): Promise<TakeoverState> {
    const { read, now, sleep, say } = this.#ports;
    const until = after(now(), UNREACHABLE_MS_MAX);
    for (let attempt = 0; ; attempt++) {
      try {
        const state = await read();
        this.#hasRead = true;
        return state;
      } catch (thrown) {
        const isAway = thrown instanceof AppError && thrown.code === "API_UNREACHABLE";
        if (!isAway || !this.#hasRead || now() >= until) throw thrown;
        if (attempt === 0) say(`waiting for the API server: ${thrown.message}`);
        await sleep(LOOK_EVERY_MS);
      }
    }
  }

  async #do(deed: Deed, state: TakeoverState): Promise<void> {
    const { perform, say, sleep } = this.#ports;
    const key = JSON.stringify(deed);
    this.#waiting = null;
    if (this.#done.has(key)) {
      const undone = `somebody undoes it: "${deedText(deed, state)}"`;
      const who = "an operator, Argo CD or Flux may hold MetalLB as it was: stop it first";
      throw new AppError("REFUSED", `Cannot go on: ${undone}; ${who}, then run this again`);
    }
    if (await perform(deed)) {
      this.#attempts = 0;
      this.#done.add(key);
      say(deedText(deed, state));
      return;
    }
    this.#attempts += 1;
    if (this.#attempts >= ATTEMPTS_MAX) {
      const what = `Cannot go on: "${deedText(deed, state)}" did not get through`;
      throw new AppError("DAEMON_TIMEOUT", `${what} in ${ATTEMPTS_MAX} attempts; run this again`);
    }
    await sleep(LOOK_EVERY_MS);
  }

  async #wait(wait: Wait, state: TakeoverState): Promise<void> {
    const { now, say, sleep } = this.#ports;
    const key = JSON.stringify(wait);
    if (this.#waiting?.key !== key) {
      const limitMs = waitLimit(wait, state);
      this.#waiting = { key, until: after(now(), limitMs) };
      if (limitMs > 0) say(waitText(wait));
    }
    if (now() >= this.#waiting.until) {
      const code = isRefusal(wait) ? "REFUSED" : "DAEMON_TIMEOUT";
      throw new AppError(code, troubleText(wait, state, this.#direction));
    }
    await sleep(LOOK_EVERY_MS);
  }
}

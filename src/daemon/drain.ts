// Whether this node hands over what it has and takes nothing: because somebody asked for it, which
// outlives a restart, or because its Node is cordoned and the node file says to honour that.

import type { OwnershipEvent } from "../ownership/types.ts";
import type { Store } from "../store/store.ts";
import type { Logger } from "./logger.ts";
import type { ToResponder } from "./responder-messages.ts";

export interface DrainOptions {
  readonly store: Store;
  readonly log: Logger;
  /** A cordoned Node is drained. */
  readonly drainOnCordon: boolean;
  readonly tellOwnership: (event: OwnershipEvent) => void;
  readonly tellResponder: (message: ToResponder) => void;
  /** After those: whoever else goes by it. */
  readonly onChange?: () => void;
}

/** Why the node is drained. */
export type DrainCause = "requested" | "cordoned";

const SETTING = "drain";
const ASKED = "asked";
const FORCED = "forced";
const NOT_ASKED = "";

export class Drain {
  readonly #options: DrainOptions;
  #isAsked = false;
  #force = false;
  #isCordoned = false;
  #hasEnded = false;
  #told = { isDraining: false, force: false };

  constructor(options: DrainOptions) {
    this.#options = options;
  }

  /** Takes up what was asked for before the daemon was started anew. */
  start(): void {
    const bytes = this.#options.store.setting(SETTING);
    const saved = bytes === null ? NOT_ASKED : Buffer.from(bytes).toString("utf8");
    this.#isAsked = saved === ASKED || saved === FORCED;
    this.#force = saved === FORCED;
    this.#tell();
  }

  /** Null: the node is not drained. */
  get cause(): DrainCause | null {
    if (this.#isAsked) return "requested";
    return this.#isCordoned ? "cordoned" : null;
  }

  get force(): boolean {
    return this.#force;
  }

  ask(force: boolean): void {
    this.#isAsked = true;
    this.#force = force;
    this.#save(force ? FORCED : ASKED);
    this.#tell();
  }

  end(): void {
    this.#isAsked = false;
    this.#force = false;
    this.#save(NOT_ASKED);
    this.#tell();
  }

  /** What the Node object says (`spec.unschedulable`). */
  setCordoned(isCordoned: boolean): void {
    this.#isCordoned = isCordoned && this.#options.drainOnCordon;
    this.#tell();
  }

  /** The daemon ends: what it says of itself from now on is that. */
  stop(): void {
    this.#hasEnded = true;
  }

  #save(text: string): void {
    this.#options.store.saveSetting(SETTING, Buffer.from(text, "utf8"));
  }

  #tell(): void {
    const { cause } = this;
    const isDraining = cause !== null;
    const force = this.#force;
    const isSame = isDraining === this.#told.isDraining && force === this.#told.force;
    if (isSame || this.#hasEnded) return;
    this.#told = { isDraining, force };
    const { log, tellOwnership, tellResponder } = this.#options;
    const text = isDraining ? "draining: handing over, taking nothing" : "drained no more";
    log.info({ event: "drain", cause, force }, text);
    tellResponder({ type: "state", state: isDraining ? "draining" : "live" });
    tellOwnership(isDraining ? { type: "drain", force } : { type: "undrain" });
    this.#options.onChange?.();
  }
}

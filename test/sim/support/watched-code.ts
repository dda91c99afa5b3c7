// The shipped code, watched: what a newcomer wants to know of its events and effects, in words.
// Who answers and what the Lease says is not told here: that is seen from outside.

import { BeaconEngine } from "../../../src/beacon/engine.ts";
import type { EngineEffect, EngineOptions } from "../../../src/beacon/engine-types.ts";
import { formatEpoch } from "../../../src/core/epoch.ts";
import type { Mac } from "../../../src/core/mac.ts";
import type { BootMs } from "../../../src/core/time.ts";
import { Ownership } from "../../../src/ownership/machine.ts";
import type {
  OwnershipEffect,
  OwnershipEvent,
  OwnershipOptions,
} from "../../../src/ownership/types.ts";
import { type Code, SHIPPED } from "./code.ts";

export interface Watcher {
  readonly note: (node: string, what: string) => void;
  /** The node that has the MAC. */
  readonly nodeOf: (mac: Mac) => string;
}

export function watchedCode({ note, nodeOf }: Watcher): Code {
  const silences = new Silences();

  class WatchedOwnership extends Ownership {
    readonly #name: string;
    /** At which epoch it has claimed: it says so again and again. */
    #claimed = "";

    constructor(options: OwnershipOptions) {
      super(options);
      this.#name = options.node;
      silences.forget(options.node);
    }

    override step(event: OwnershipEvent, now: BootMs): OwnershipEffect[] {
      const heard = silences.onEvent(this.#name, event);
      if (heard !== null) note(this.#name, heard);
      const effects = super.step(event, now);
      for (const effect of effects) this.#tell(effect);
      return effects;
    }

    #tell(effect: OwnershipEffect): void {
      if (effect.type === "claim" || effect.type === "record") {
        const { epoch } = effect.type === "claim" ? effect : effect.change;
        const isAgain = effect.type === "claim" && this.#claimed === formatEpoch(epoch);
        this.#claimed = formatEpoch(epoch);
        if (isAgain) return;
      }
      const what = effectText(effect);
      if (what !== null) note(this.#name, what);
    }
  }

  class WatchedEngine extends BeaconEngine {
    readonly #name: string;

    constructor(options: EngineOptions) {
      super(options);
      this.#name = options.node;
    }

    override wake(now: BootMs): EngineEffect[] {
      const effects = super.wake(now);
      for (const effect of effects) {
        if (effect.type !== "probe" || effect.to === null) continue;
        const asked = nodeOf(effect.to);
        if (silences.isFirstProbe(this.#name, asked)) {
          const { state } = this.peers().find(({ node }) => node === asked) ?? {};
          const what = state === "restarting" ? "asks its host" : "asks it for the VIP";
          note(this.#name, `no beacon of ${asked}; ${what}`);
        }
      }
      return effects;
    }
  }

  return { ...SHIPPED, Ownership: WatchedOwnership, BeaconEngine: WatchedEngine };
}

/** Whom each node misses: said when it begins and when it ends. */
class Silences {
  /** By node and peer: what was said last. */
  readonly #said = new Map<string, string>();

  /** The node starts anew. */
  forget(node: string): void {
    for (const key of this.#said.keys()) if (key.startsWith(`${node} `)) this.#said.delete(key);
  }

  isFirstProbe(node: string, asked: string): boolean {
    const key = `${node} ${asked}`;
    if (this.#said.has(key)) return false;
    this.#said.set(key, "");
    return true;
  }

  onEvent(node: string, event: OwnershipEvent): string | null {
    if (event.type !== "peer-heard" && event.type !== "peer-silent") return null;
    const key = `${node} ${event.node}`;
    const said = this.#said.get(key);
    if (event.type === "peer-heard") {
      this.#said.delete(key);
      return said === undefined ? null : `hears ${event.node} again`;
    }
    const what = silenceText(event);
    this.#said.set(key, what);
    return said === what ? null : what;
  }
}

function silenceText(event: Extract<OwnershipEvent, { type: "peer-silent" }>): string {
  const { node, answers, gateway } = event;
  if (answers) return `${node} sends no beacons, but answers`;
  if (gateway === null) return `${node} is silent`;
  return gateway ? `${node} is silent, the gateway answers` : `${node} and gateway are silent`;
}

function effectText(effect: OwnershipEffect): string | null {
  switch (effect.type) {
    case "record": {
      const { type, epoch, cause } = effect.change;
      return `${type === "gained" ? "owns" : "gives up"} epoch ${formatEpoch(epoch)} (${cause})`;
    }
    case "claim":
      return `claims epoch ${formatEpoch(effect.epoch)}`;
    case "offer":
      return `offers epoch ${formatEpoch(effect.epoch)} to ${effect.to}`;
    case "withdraw":
      return "withdraws its claim";
    case "read-member":
      return `reads the node Lease of ${effect.node}`;
    case "stand-in":
      return effect.mac === null ? "stands in no more" : "stands in with the owner's MAC";
    case "stopped":
      return "has stopped";
    default:
      return null;
  }
}

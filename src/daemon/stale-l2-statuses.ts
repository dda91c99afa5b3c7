// The leader deletes the ServiceL2Statuses of nodes that do not do it themselves: those whose Node
// is gone, and those that are down and whose addresses others own.

import type { Clock } from "../core/time.ts";
import { after, type BootMs, bootMs } from "../core/time.ts";
import type { OwnedObject } from "../k8s-sync/model.ts";
import type { Outcome } from "../k8s-sync/outcome.ts";
import type { OwnersNow } from "./service-l2-status.ts";
import { isStaleL2Status, selectorOfOthers } from "./service-l2-status.ts";
import type { Task } from "./tasks.ts";
import { repeat } from "./tasks.ts";

export interface StaleL2StatusPorts {
  readonly clock: Clock;
  /** False: not the leader, or the cluster is not fully known. */
  readonly mayCollect: () => boolean;
  /** Names of the Nodes. */
  readonly nodes: () => Iterable<string>;
  /** Nodes whose daemon is down or stopped. */
  readonly down: () => readonly string[];
  readonly owners: () => OwnersNow;
  readonly list: (labelSelector: string) => Promise<Outcome<readonly OwnedObject[]>>;
  readonly remove: (object: OwnedObject) => Promise<unknown>;
}

const LOOK_EVERY_MS = 2_000;
/** While nodes are down, their addresses go to others by and by. */
const AGAIN_MS = 30_000;

export class StaleL2Statuses implements Task {
  readonly name = "stale-l2-statuses";
  readonly #ports: StaleL2StatusPorts;
  /** The nodes that look after their own, as of the last list. */
  #listedFor = "";
  #nextAt: BootMs = bootMs(0);
  #isListing = false;

  constructor(ports: StaleL2StatusPorts) {
    this.#ports = ports;
  }

  run(signal: AbortSignal): Promise<void> {
    return repeat(() => void this.look(), LOOK_EVERY_MS, signal);
  }

  /** Lists only when nodes came, went or died, and again while some are down. */
  async look(): Promise<void> {
    const { clock, mayCollect, nodes, down } = this.#ports;
    if (this.#isListing || !mayCollect()) return;
    const dead = new Set(down());
    const well = [...nodes()].filter((node) => !dead.has(node)).sort();
    const isNews = well.join() !== this.#listedFor;
    const now = clock.boot();
    if (!isNews && (dead.size === 0 || now < this.#nextAt)) return;
    this.#nextAt = after(now, AGAIN_MS);
    this.#isListing = true;
    await this.#collect(well).finally(() => {
      this.#isListing = false;
    });
  }

  async #collect(well: readonly string[]): Promise<void> {
    const listed = await this.#ports.list(selectorOfOthers(well));
    this.#listedFor = well.join();
    if (!listed.ok) return;
    const owners = this.#ports.owners();
    const stale = listed.value.filter((object) => isStaleL2Status(object, owners));
    // One after the other: nobody waits for it.
    for (const object of stale) await this.#ports.remove(object);
  }
}

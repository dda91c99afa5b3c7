// What the machine is told to do beside what follows from the cluster: drain, move a VIP, keep
// silent. A part of the machine, apart for its length.

import type { BootMs } from "../core/time.ts";
import { after } from "../core/time.ts";
import { movingWith } from "./followers.ts";
import type { OwnershipEvent } from "./types.ts";
import type { Vip } from "./vip.ts";
import type { VipTable } from "./vip-table.ts";
import { TAKE_GAP_MS } from "./wire-truth.ts";

type EventOf<T extends OwnershipEvent["type"]> = Extract<OwnershipEvent, { type: T }>;
export type OrderEvent = EventOf<"drain" | "undrain" | "move" | "silence" | "owner-mute">;

/** A claim that the wire asks for is made in this time, or not at all. */
const MUTE_CLAIM_MS = 2_000;

export interface OrderPorts {
  readonly vips: VipTable;
  readonly evaluate: (vip: Vip, now: BootMs) => void;
  readonly evaluateAll: (now: BootMs) => void;
  /** Nothing known may be acted on before it is read again. */
  readonly doubtRecords: (now: BootMs) => void;
  readonly renewPresence: (now: BootMs) => void;
}

export class Orders {
  readonly #ports: OrderPorts;
  #drain: { readonly force: boolean } | null = null;
  #isSilent = false;

  constructor(ports: OrderPorts) {
    this.#ports = ports;
  }

  /** Null: the node may own what it can. */
  get drain(): { readonly force: boolean } | null {
    return this.#drain;
  }

  /** Another host has this node's name, and is older: nothing is this one's. */
  get isSilent(): boolean {
    return this.#isSilent;
  }

  apply(event: OrderEvent, now: BootMs): void {
    switch (event.type) {
      case "drain":
        return this.#setDrain({ force: event.force }, now);
      case "undrain":
        return this.#setDrain(null, now);
      case "move":
        return this.#move(event, now);
      case "owner-mute":
        return this.#setMute(event, now);
      case "silence":
        return this.#setSilent(event.isSilent, now);
    }
  }

  #setDrain(drain: { readonly force: boolean } | null, now: BootMs): void {
    this.#drain = drain;
    this.#ports.vips.offerAnew();
    this.#ports.evaluateAll(now);
  }

  #move({ address, to }: EventOf<"move">, now: BootMs): void {
    const asked = this.#ports.vips.get(address);
    if (asked?.phase.kind !== "owning") return;
    for (const vip of movingWith(asked, this.#ports.vips.owned())) {
      vip.moveTo = to;
      vip.offerAgainAt = now;
      this.#ports.evaluate(vip, now);
    }
  }

  /** Whoever has the VIP by then; what was found out long ago may be over. */
  #setMute({ address, owner, epoch }: EventOf<"owner-mute">, now: BootMs): void {
    const vip = this.#ports.vips.get(address);
    if (vip === undefined) return;
    const claimUntil = after(now, MUTE_CLAIM_MS);
    vip.mute = { node: owner, epoch, claimUntil, until: after(now, TAKE_GAP_MS) };
    this.#ports.evaluate(vip, now);
  }

  #setSilent(isSilent: boolean, now: BootMs): void {
    if (isSilent === this.#isSilent) return;
    this.#isSilent = isSilent;
    if (isSilent) {
      const detail = "an older host has this node's name";
      for (const vip of this.#ports.vips.owned()) this.#ports.vips.lose(vip, "silenced", detail);
      return;
    }
    this.#ports.doubtRecords(now);
    this.#ports.renewPresence(now);
    this.#ports.evaluateAll(now);
  }
}

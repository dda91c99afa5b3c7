// Asks the segment, because somebody wants to know, who answers for an address of a pool.

import type { Asked } from "../answering/asks.ts";
import type { CommandResult } from "../api/routes.ts";
import type { WireView } from "../api/types.ts";
import type { Ip } from "../core/address.ts";
import { parseIp } from "../core/address.ts";
import type { Clock } from "../core/time.ts";
import { segmentsFor } from "../ownership/eligibility.ts";
import type { OwnershipViews } from "../ownership/views.ts";
import type { ClusterView } from "./cluster-view.ts";
import type { HostInterfaces } from "./host-interfaces.ts";
import type { ToResponder } from "./responder-messages.ts";

/** The thread asks twice, for half a second. */
const TIMEOUT_MS = 2_000;
/** Addresses that are asked for at a time: nobody floods the segment this way. */
const ASKED_MAX = 8;

export interface WireAsksOptions {
  readonly clock: Clock;
  readonly cluster: Pick<ClusterView, "poolOf" | "placementOf">;
  readonly host: () => Pick<HostInterfaces, "segments">;
  readonly machine: () => { readonly views: Pick<OwnershipViews, "state" | "nodeOf"> };
  readonly node: string;
  readonly tellResponder: (message: ToResponder) => void;
}

export class WireAsks {
  readonly #options: WireAsksOptions;
  readonly #waiting = new Map<Ip, Set<(asked: Asked | null) => void>>();

  constructor(options: WireAsksOptions) {
    this.#options = options;
  }

  /** What the thread found out. */
  onSeen(asked: Asked): void {
    const waiting = this.#waiting.get(asked.address);
    this.#waiting.delete(asked.address);
    for (const resolve of waiting ?? []) resolve(asked);
  }

  async who(text: string): Promise<CommandResult<WireView>> {
    const address = parseIp(text);
    const about = `Cannot ask who answers for "${text}"`;
    if (address === null) {
      return { ok: false, kind: "bad-request", message: `${about}: it is no IP address` };
    }
    const { node, clock, cluster, host, machine } = this.#options;
    if (cluster.poolOf(address) === null) {
      const why = "it is in no pool, and answers about it do not pass the kernel's filter";
      return refused(`${about}: ${why}; use arping or ndisc6`);
    }
    const placed = cluster.placementOf(address)?.nodes.get(node);
    const named = placed?.allowed === true ? placed.interfaces : null;
    const [segment] = segmentsFor(address, host().segments, named);
    if (segment === undefined) {
      const why = "it is answered for on no interface of this node; ask another node";
      return refused(`${about}: ${why}`);
    }
    if (!this.#waiting.has(address) && this.#waiting.size >= ASKED_MAX) {
      return refused(`${about}: ${ASKED_MAX} others are being asked for; try again`);
    }
    const asked = await this.#ask(address, segment.interface);
    if (asked === null) return refused(`${about}: the answering thread does not answer in time`);
    const { views } = machine();
    const state = views.state(address);
    const owner = state?.record?.owner ?? null;
    const ownedHere = state?.phase.kind === "owning";
    const now = clock.boot();
    const answers = asked.macs.map((mac) => ({ mac, node: views.nodeOf(mac, now) }));
    return { ok: true, value: { address, interface: asked.interface, owner, ownedHere, answers } };
  }

  async #ask(address: Ip, interfaceName: string): Promise<Asked | null> {
    const { promise, resolve } = Promise.withResolvers<Asked | null>();
    const waiting = this.#waiting.get(address) ?? new Set();
    this.#waiting.set(address, waiting.add(resolve));
    const { tellResponder } = this.#options;
    // Who asks while another does gets the same answer.
    if (waiting.size === 1) {
      tellResponder({ type: "look", address, interface: interfaceName });
    }
    const timer = setTimeout(() => resolve(null), TIMEOUT_MS);
    return promise.finally(() => {
      clearTimeout(timer);
      waiting.delete(resolve);
      if (waiting.size === 0 && this.#waiting.get(address) === waiting) {
        this.#waiting.delete(address);
      }
    });
  }
}

function refused(message: string): CommandResult<never> {
  return { ok: false, kind: "refused", message };
}

// The leader's questions to the wire before addresses are handed out: sends the probes that are
// due, sorts the answers, and what is heard afterwards, into the cluster's own and foreign ones,
// and tells what follows. What this node has no segment for cannot be asked for; it counts as
// free, and as unprobed.

import type { Ip } from "../core/address.ts";
import type { Mac } from "../core/mac.ts";
import type { Clock } from "../core/time.ts";
import { after } from "../core/time.ts";
import type { UseChange, WireUse } from "../ipam/address-probes.ts";
import { AddressProbes } from "../ipam/address-probes.ts";
import type { WireKnowledge } from "./address-vetting.ts";
import type { Logger } from "./logger.ts";
import type { Probed, Sighted, ToResponder } from "./responder-messages.ts";
import type { Task } from "./tasks.ts";
import { aborted } from "./tasks.ts";

export interface AddressProbeOptions {
  readonly clock: Clock;
  readonly log: Logger;
  /** The addresses that are likely to be handed out next; none while this node does not lead. */
  readonly upcoming: () => readonly Ip[];
  /** Where to ask for it. */
  readonly interfacesOf: (address: Ip) => readonly string[];
  /** Whether the MAC is of a node of the cluster, this one included. */
  readonly isNode: (mac: Mac) => boolean;
  readonly tellResponder: (message: ToResponder) => void;
  readonly onUse: (change: UseChange) => void;
}

/** How often the addresses that come next are looked at. */
const LOOK_AHEAD_EVERY_MS = 1_000;
/** Where each of them can be asked for is looked up again after this: links come and go. */
const LOOK_UP_EVERY_MS = 10_000;
/** Addresses that are remembered as unprobed, for who asks why. */
const UNPROBED_MAX = 1_000;

export class AddressProbeTask implements Task, WireKnowledge {
  readonly name = "address-probes";
  readonly #options: AddressProbeOptions;
  readonly #probes = new AddressProbes();
  /** `waited`: those that a Service had to wait for; `sighted`: somebody came to use them later. */
  readonly #counts = { free: 0, used: 0, unprobed: 0, waited: 0, sighted: 0 };
  readonly #unprobed = new Set<Ip>();
  #lookAheadAt: number = Number.NEGATIVE_INFINITY;
  /** Of those that come next, the ones that can be asked for. */
  #ahead: Ahead = { upcoming: [], probable: [], until: Number.NEGATIVE_INFINITY };
  #timer: NodeJS.Timeout | undefined;
  #isSoon = false;
  #isRunning = false;

  constructor(options: AddressProbeOptions) {
    this.#options = options;
  }

  use(address: Ip): WireUse {
    if (this.#options.interfacesOf(address).length === 0) {
      this.#noteUnprobed(address);
      return "free";
    }
    const use = this.#probes.use(address, this.#options.clock.boot());
    if (use === "unknown") {
      this.#probes.want(address);
      this.#soon();
    }
    return use;
  }

  handedOut(address: Ip): void {
    this.#probes.handedOut(address);
    this.#options.tellResponder({ type: "unwatch", address });
  }

  /** What there is to say of an address, or null. */
  note(address: Ip): string | null {
    const quarantine = this.#probes.quarantined().get(address);
    if (quarantine !== undefined) return quarantineText(quarantine.macs);
    if (this.#unprobed.has(address)) {
      return "handed out unprobed: this node, which leads, has no segment that holds it";
    }
    const now = this.#options.clock.boot();
    const since = this.#probes.freeSince(address, now);
    if (since === null) return null;
    const seconds = Math.round((now - since) / 1_000);
    return `nobody answered for it when it was asked for, ${seconds} s ago`;
  }

  isKnownFree(address: Ip): boolean {
    const { clock } = this.#options;
    return this.#probes.freeSince(address, clock.boot()) !== null && !this.#unprobed.has(address);
  }

  /** The addresses that another host answers for, each with that host. */
  quarantined(): [address: Ip, because: string][] {
    const all = [...this.#probes.quarantined()];
    return all.map(([address, { macs }]) => [address, quarantineText(macs)]);
  }

  counters(): Record<string, number> {
    const counts = Object.entries(this.#counts).map(([use, count]) => [`probe-${use}`, count]);
    return { ...Object.fromEntries(counts), quarantined: this.#probes.quarantined().size };
  }

  /** This node does not lead any more: the next one finds out for itself. */
  clear(): void {
    this.#probes.clear();
    this.#unprobed.clear();
    this.#options.tellResponder({ type: "unwatch", address: null });
  }

  async run(signal: AbortSignal): Promise<void> {
    this.#isRunning = true;
    this.#next();
    await aborted(signal);
    this.#isRunning = false;
    clearTimeout(this.#timer);
  }

  onProbed(probed: readonly Probed[]): void {
    const { clock, isNode } = this.#options;
    const now = clock.boot();
    for (const { address, interface: name, macs } of probed) {
      const foreign = macs?.filter((mac) => !isNode(mac)) ?? null;
      this.#tell(this.#probes.answered(address, { interface: name, macs: foreign }, now));
    }
    this.#soon();
  }

  /** Somebody uses an address that was asked for before (RFC 5227 section 2.4). */
  onSighted({ address, mac }: Sighted): void {
    const { clock, isNode } = this.#options;
    const now = clock.boot();
    // Whether it is a node costs more than whether it matters.
    if (this.#probes.freeSince(address, now) === null || isNode(mac)) return;
    this.#counts.sighted += 1;
    this.#tell(this.#probes.sighted(address, mac, now));
    this.#soon();
  }

  /** In the next turn: what is asked for by then goes together. */
  #soon(): void {
    if (this.#isSoon || !this.#isRunning) return;
    this.#isSoon = true;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#next(), 0);
  }

  #next(): void {
    this.#isSoon = false;
    clearTimeout(this.#timer);
    const { clock, interfacesOf } = this.#options;
    const now = clock.boot();
    if (now >= this.#lookAheadAt) {
      this.#lookAheadAt = after(now, LOOK_AHEAD_EVERY_MS);
      this.#probes.lookAhead(this.#probable(now), now);
    }
    const { orders, changes } = this.#probes.take(now, interfacesOf);
    this.#counts.waited += orders.filter(({ isHurried }) => isHurried).length;
    const asked = orders.flatMap(({ address, interfaces, isHurried }) =>
      interfaces.map((name) => ({ address, interface: name, isHurried })),
    );
    for (const group of Map.groupBy(asked, keyOf).values()) this.#ask(group);
    this.#tell(changes);
    if (this.#isSoon) return;
    const dueAt = Math.min(this.#probes.nextDeadline(now), this.#lookAheadAt);
    this.#timer = setTimeout(() => this.#next(), Math.max(1, Math.ceil(dueAt - now)));
  }

  #probable(now: number): readonly Ip[] {
    const upcoming = this.#options.upcoming();
    if (this.#ahead.upcoming === upcoming && now < this.#ahead.until) return this.#ahead.probable;
    const probable = upcoming.filter((ip) => this.#options.interfacesOf(ip).length > 0);
    this.#ahead = { upcoming, probable, until: now + LOOK_UP_EVERY_MS };
    return probable;
  }

  #ask(group: readonly Asking[]): void {
    const [first] = group;
    if (first === undefined) return;
    const addresses = group.map(({ address }) => address);
    this.#options.tellResponder({ ...keyed(first), type: "probe", addresses });
  }

  #tell(changes: readonly UseChange[]): void {
    const { log, onUse } = this.#options;
    for (const change of changes) {
      const { address, use } = change;
      if (typeof use === "object") {
        this.#counts.used += 1;
        const text = "in use by a host that is no node";
        log.warn({ event: "address-in-use", address, macs: use.macs }, text);
      } else if (use === "unprobed") this.#noteUnprobed(address);
      else this.#counts.free += 1;
      onUse(change);
    }
  }

  #noteUnprobed(address: Ip): void {
    if (this.#unprobed.has(address)) return;
    if (this.#unprobed.size >= UNPROBED_MAX) this.#unprobed.clear();
    this.#unprobed.add(address);
    this.#counts.unprobed += 1;
  }
}

function quarantineText(macs: readonly Mac[]): string {
  const host = macs.join(" and ");
  return `quarantined: host ${host}, which is no node of the cluster, answers for it`;
}

interface Ahead {
  readonly upcoming: readonly Ip[];
  readonly probable: readonly Ip[];
  readonly until: number;
}

interface Asking {
  readonly address: Ip;
  readonly interface: string;
  readonly isHurried: boolean;
}

function keyed({ interface: name, isHurried }: Asking): Omit<Asking, "address"> {
  return { interface: name, isHurried };
}

function keyOf(asking: Asking): string {
  return JSON.stringify(keyed(asking));
}

// What others read of the ownership machine.

import type { Ip } from "../core/address.ts";
import type { Mac } from "../core/mac.ts";
import type { BootMs } from "../core/time.ts";
import type { Situation } from "./action.ts";
import type { Candidates, Verdict } from "./candidates.ts";
import { movingWith } from "./followers.ts";
import type { Members } from "./members.ts";
import type { Serving, VipRecord, VipSpec } from "./types.ts";
import { strongestOther } from "./vacancy.ts";
import type { Vip } from "./vip.ts";
import type { VipTable } from "./vip-table.ts";
import { OBSERVERS_MAX, type Watched, type Watching } from "./wire-truth.ts";

/** A silent node is asked for some of its VIPs, not for all. */
const PROBE_TARGETS_MAX = 8;

/** A VIP without what speaks for and against each node, which takes time to tell. */
export interface VipState {
  readonly address: Ip;
  readonly phase: Vip["phase"];
  readonly record: VipRecord | null;
  readonly serving: Serving;
  /** The address that is ranked: what ranks by the same should be with the same owner. */
  readonly rankBy: Ip;
}

/** What `explain` tells of a VIP. */
export interface VipView extends VipState {
  /** Best-ranked first. */
  readonly verdicts: readonly Verdict[];
}

function stateOf({ spec, phase, record }: Vip): VipState {
  const { address, serving, rankBy } = spec;
  return { address, phase, record, serving, rankBy };
}

/** By node: some VIPs that it has by the record or on the wire. Of thousands few are looked at. */
function probeTargets(
  vips: Iterable<Vip>,
  others: ReadonlySet<string>,
  situation: Pick<Situation, "node" | "wireClaim">,
): Map<string, readonly Ip[]> {
  const targets = new Map<string, readonly Ip[]>();
  const lacking = new Set(others);
  for (const vip of vips) {
    if (lacking.size === 0) break;
    if (vip.phase.kind === "owning") continue;
    const holder = strongestOther(vip, situation)?.node;
    const known = holder === undefined ? [] : (targets.get(holder) ?? []);
    if (holder === undefined || known.length >= PROBE_TARGETS_MAX) continue;
    targets.set(holder, [...known, vip.spec.address]);
    if (known.length + 1 === PROBE_TARGETS_MAX) lacking.delete(holder);
  }
  return targets;
}

function isHeard({ hearing }: { hearing: string }): boolean {
  return hearing === "heard";
}

/** Null: this node does not watch the owner of the VIP, or there is none that should answer. */
function watchedOf(vip: Vip, situation: Situation, now: BootMs): Watched | null {
  const { candidates, neighbours, node } = situation;
  if (situation.drain !== null || situation.isStopping) return null;
  const owner = strongestOther(vip, situation);
  const own = candidates.own(vip.spec);
  const segment = own.eligible ? own.interfaces[0] : undefined;
  if (vip.phase.kind !== "idle" || owner === null || segment === undefined) return null;
  const neighbour = neighbours.on(segment).get(owner.node);
  if (neighbour?.hearing !== "heard" || neighbour.state !== "live") return null;
  const others = candidates.ranked(vip.spec, now).filter((name) => name !== owner.node);
  const observers = others.slice(0, OBSERVERS_MAX);
  if (!observers.includes(node)) return null;
  return {
    address: vip.spec.address,
    owner: owner.node,
    epoch: owner.epoch,
    mac: neighbour.mac,
    interface: segment,
    isFirst: observers[0] === node,
    isAlone: [...neighbours.on(segment).values()].filter(isHeard).length === 1,
  };
}

export interface Silence {
  /** Its last beacon came then, or a little later. */
  readonly from: BootMs;
  readonly interface: string;
  readonly heard: readonly string[];
}

export interface ViewPorts {
  readonly vips: VipTable;
  readonly members: Members;
  readonly candidates: Candidates;
  readonly situation: (now: BootMs) => Situation;
}

export class OwnershipViews {
  readonly #ports: ViewPorts;

  constructor(ports: ViewPorts) {
    this.#ports = ports;
  }

  /** The node that is or was heard with the MAC on some segment, or null. */
  nodeOf(mac: Mac, now: BootMs): string | null {
    return this.#ports.situation(now).neighbours.nodeOf(mac);
  }

  /** Since when a node is silent where the VIP is, and who is heard there; null: it is not. */
  silence(node: string, address: Ip): Silence | null {
    const { vips, candidates, situation } = this.#ports;
    const vip = vips.get(address);
    const name = vip === undefined ? undefined : candidates.segmentOf(vip.spec);
    if (name === undefined) return null;
    const on = situation(0 as BootMs).neighbours.on(name);
    const silent = on.get(node);
    if (silent?.hearing !== "silent") return null;
    const heard = [...on].filter(([, { hearing }]) => hearing === "heard").map(([peer]) => peer);
    return { from: (silent.since - silent.holdMs) as BootMs, interface: name, heard };
  }

  members(now: BootMs): ReturnType<Members["list"]> {
    return this.#ports.members.list(now);
  }

  /** Whether the API could not be written to when it was last tried. */
  isHoldover(now: BootMs): boolean {
    return this.#ports.situation(now).isHoldover;
  }

  /** Tenures that ended on an interface because no beacon left it in time. */
  lapses(): number {
    return this.#ports.vips.lapses;
  }

  /** Every VIP Lease known, also of addresses that no Service has. */
  records(): readonly VipRecord[] {
    return this.#ports.vips.records();
  }

  /** By node: some VIPs that it has, to ask it for when it is silent. */
  probeTargets(now: BootMs): Map<string, readonly Ip[]> {
    const { vips, members, situation } = this.#ports;
    const about = situation(now);
    const names = members.list(now).map(({ node }) => node);
    const others = new Set(names.filter((name) => name !== about.node));
    return probeTargets(vips.all().values(), others, about);
  }

  /** The VIP as an observer of its owner sees it; null: this node is none. */
  watched(address: Ip, now: BootMs): Watched | null {
    const vip = this.#ports.vips.get(address);
    return vip === undefined ? null : watchedOf(vip, this.#ports.situation(now), now);
  }

  /** Every VIP, owned or not, and with how many nodes this one shares the asking. */
  watching(now: BootMs): Watching {
    const { vips, situation } = this.#ports;
    const watch = (address: Ip): Watched | null => this.watched(address, now);
    return { addresses: vips.all(), watch, askers: situation(now).neighbours.most() + 1 };
  }

  /** Those that this node owns and that would move together with the VIP, itself included. */
  together(address: Ip): Ip[] {
    const { vips } = this.#ports;
    const vip = vips.get(address);
    if (vip === undefined) return [];
    return movingWith(vip, vips.owned()).map(({ spec }) => spec.address);
  }

  /** Null: it is no VIP. */
  state(address: Ip): VipState | null {
    const vip = this.#ports.vips.get(address);
    return vip === undefined ? null : stateOf(vip);
  }

  /** The nodes that could own something, a VIP or not yet one, best first. */
  ranked(spec: VipSpec, now: BootMs): string[] {
    const { candidates, vips } = this.#ports;
    const nodes = candidates.ranked(spec, now);
    if (vips.get(spec.address) === undefined) candidates.forget(spec.rankBy);
    return nodes;
  }

  /** As `state`, with every node's verdict. */
  view(address: Ip, now: BootMs): VipView | null {
    const vip = this.#ports.vips.get(address);
    if (vip === undefined) return null;
    return { ...stateOf(vip), verdicts: this.#ports.candidates.verdicts(vip.spec, now) };
  }
}

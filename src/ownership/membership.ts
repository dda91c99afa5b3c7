// Who takes part: the node Leases, this node's own among them, and the nodes that are expected
// because they were there before. A part of the machine, apart for its length.

import type { IpPrefix } from "../core/address.ts";
import type { BootMs } from "../core/time.ts";
import type { Members } from "./members.ts";
import type { Neighbours } from "./neighbours.ts";
import type { Presence } from "./presence.ts";
import type { MemberRecord, OwnershipEvent, Segment } from "./types.ts";

type EventOf<T extends OwnershipEvent["type"]> = Extract<OwnershipEvent, { type: T }>;

export interface MembershipPorts {
  readonly node: string;
  readonly members: Members;
  readonly neighbours: Neighbours;
  readonly presence: Presence;
  readonly isStopping: () => boolean;
  /** Some VIP's record names it. */
  readonly isHolder: (node: string) => boolean;
  readonly evaluateAll: (now: BootMs) => void;
}

export class Membership {
  readonly #ports: MembershipPorts;
  /** Nodes that were there when this one ran last: none once the API tells. */
  #expected: readonly string[] = [];
  #interfaces: readonly string[] = [];
  /** By interface, as they were when it had any. */
  readonly #prefixes = new Map<string, readonly IpPrefix[]>();

  constructor(ports: MembershipPorts) {
    this.#ports = ports;
  }

  apply(event: EventOf<"member" | "member-gone" | "member-read">, now: BootMs): void {
    switch (event.type) {
      case "member":
        return this.#onMember(event.record, now);
      case "member-gone":
        return this.#onMemberGone(event.node, now);
      case "member-read":
        return this.#onMemberRead(event, now);
    }
  }

  /** All node Leases, straight from the API: they tell who the members are. */
  onRead(records: readonly MemberRecord[], now: BootMs): void {
    for (const record of records) {
      if (record.node === this.#ports.node) this.#ports.presence.observe(record);
      else this.#ports.members.observe(record, now);
    }
    this.#expected = [];
    this.#ports.neighbours.forgetExpected();
  }

  /** The nodes that were there when this one ran last. */
  expect(nodes: readonly string[], now: BootMs): void {
    this.#expected = nodes.filter((node) => node !== this.#ports.node);
    this.#tellExpected(now);
  }

  /** This node's own: those that have a carrier and an address. */
  onSegments(segments: readonly Segment[], now: BootMs): void {
    const { neighbours } = this.#ports;
    const names = segments.map((segment) => segment.interface);
    for (const name of this.#interfaces) {
      if (!names.includes(name)) neighbours.interfaceLost(name, now);
    }
    for (const { interface: name, prefixes } of segments) {
      const before = this.#prefixes.get(name) ?? [];
      if (before.length > 0 && !hasCommon(before, prefixes)) neighbours.forgetInterface(name);
      this.#prefixes.set(name, prefixes);
    }
    this.#interfaces = names;
    this.#tellExpected(now);
  }

  #tellExpected(now: BootMs): void {
    for (const name of this.#interfaces) {
      for (const node of this.#expected) this.#ports.neighbours.expect(node, name, now);
    }
  }

  #onMember(record: MemberRecord, now: BootMs): void {
    const { node, members, neighbours, presence, isHolder } = this.#ports;
    members.prune(isHolder, now);
    if (record.node === node) return presence.observe(record);
    if (record.holder === null) neighbours.forget(record.node);
    if (members.observe(record, now)) this.#ports.evaluateAll(now);
  }

  #onMemberGone(gone: string, now: BootMs): void {
    const { node, members, neighbours, presence, isStopping } = this.#ports;
    if (gone !== node) {
      neighbours.forget(gone);
      return members.forget(gone);
    }
    presence.observe(null);
    if (!isStopping()) presence.renewNow(now);
  }

  #onMemberRead({ node, record }: EventOf<"member-read">, now: BootMs): void {
    const { members, presence } = this.#ports;
    if (node !== this.#ports.node) {
      members.confirm(node, record, now);
      return this.#ports.evaluateAll(now);
    }
    if (record === "failed") return;
    presence.observe(record);
    presence.renewNow(now);
  }
}

function hasCommon(some: readonly IpPrefix[], others: readonly IpPrefix[]): boolean {
  return some.some((one) =>
    others.some((other) => other.start === one.start && other.length === one.length),
  );
}

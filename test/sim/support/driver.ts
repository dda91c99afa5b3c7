// Does the machine's effects against the virtual API server and the responder, as
// src/daemon/ownership-driver.ts does against the real ones, and checks their order.

import type { Ip } from "../../../src/core/address.ts";
import type { BootMs } from "../../../src/core/time.ts";
import type {
  MemberRecord,
  OwnershipEffect,
  OwnershipEvent,
  VipRecord,
  WriteOutcome,
} from "../../../src/ownership/types.ts";
import type { Lease, VirtualApi } from "./api.ts";
import type { ApiLink } from "./api-link.ts";
import type { ResponderModel } from "./responder-model.ts";
import { Violation } from "./violation.ts";

type EffectOf<T extends OwnershipEffect["type"]> = Extract<OwnershipEffect, { type: T }>;

export interface DriverPorts {
  readonly node: string;
  readonly incarnation: number;
  readonly api: VirtualApi;
  readonly link: ApiLink;
  readonly responder: ResponderModel;
  readonly timeoutMs: number;
  readonly localNow: () => BootMs;
  /** Runs `work` in the main loop, when it comes to it. */
  readonly post: (source: string, work: () => void) => void;
  readonly step: (event: OwnershipEvent) => void;
  readonly onAnsweringChanged: () => void;
  readonly onOffer: (address: Ip, to: string) => void;
  readonly onStopped: () => void;
}

export class Driver {
  readonly #ports: DriverPorts;
  /** Epochs that were written down as gained and not yet as lost. */
  readonly #gained = new Map<Ip, number>();
  #renewals = 0;

  constructor(ports: DriverPorts) {
    this.#ports = ports;
  }

  perform(effects: readonly OwnershipEffect[]): void {
    for (const effect of effects) this.#perform(effect);
  }

  #perform(effect: OwnershipEffect): void {
    const { responder, node, onAnsweringChanged, localNow } = this.#ports;
    switch (effect.type) {
      case "record":
        return this.#onRecord(effect.change);
      case "grant":
        if (!this.#gained.has(effect.address)) {
          throw new Violation("effects-in-order", `${node} grants ${effect.address} unrecorded`);
        }
        responder.grant(effect.address, effect);
        return onAnsweringChanged();
      case "revoke":
        return responder.revoke(effect.address);
      case "claim": {
        const { address, epoch, interfaces } = effect;
        return responder.perform(responder.engine.say("claim", [{ address, epoch }], interfaces));
      }
      case "offer": {
        const { address, epoch, interface: name, to } = effect;
        this.#ports.onOffer(address, to);
        return responder.perform(responder.engine.offer(name, to, [{ address, epoch }]));
      }
      case "stand-in":
        responder.standIn(effect.address, effect.interface, effect.mac);
        return onAnsweringChanged();
      case "withdraw":
        return responder.perform(responder.engine.tellTable());
      case "retell": {
        const { interface: name, node: peer } = effect;
        return responder.perform(responder.engine.retell(name, peer, localNow()));
      }
      case "announce":
        return responder.announce(effect.address);
      case "conflict":
        return;
      case "write-presence":
        return this.#writePresence(effect);
      case "write-vip":
        return this.#writeVip(effect);
      case "read-member":
        return this.#readMember(effect.node);
      case "read-records":
        return this.#readRecords();
      case "stopped":
        return this.#ports.onStopped();
    }
  }

  #onRecord(change: EffectOf<"record">["change"]): void {
    const { address } = change;
    const { node, responder } = this.#ports;
    const isHeld = this.#gained.has(address);
    if (change.type === "gained") {
      if (isHeld) throw new Violation("effects-in-order", `${node} gains ${address} twice`);
      this.#gained.set(address, change.epoch);
      return;
    }
    if (!isHeld) throw new Violation("effects-in-order", `${node} loses ${address} unowned`);
    if (responder.isGranted(address)) {
      throw new Violation("effects-in-order", `${node} loses ${address} before the revoke`);
    }
    this.#gained.delete(address);
  }

  #writePresence({ resourceVersion, live, segments }: EffectOf<"write-presence">): void {
    const { node, incarnation, api, link, timeoutMs, localNow } = this.#ports;
    this.#renewals += 1;
    const renewal = `${incarnation} ${this.#renewals}`;
    const holder = live ? `${node} ${incarnation}` : null;
    const record: MemberRecord = { node, holder, renewal, resourceVersion: "", segments };
    const sentAt = localNow();
    link.call({
      execute: () => api.write({ kind: "member", record }, resourceVersion),
      timeoutMs,
      done: (answer) =>
        this.#ports.post("http", () => {
          const outcome = memberOutcome(answer);
          this.#ports.step({ type: "presence-written", sentAt, outcome });
        }),
    });
  }

  #writeVip({ address, owner, epoch, resourceVersion }: EffectOf<"write-vip">): void {
    const { node, api, link, responder, timeoutMs } = this.#ports;
    if (owner === null && responder.isGranted(address)) {
      throw new Violation("effects-in-order", `${node} releases ${address} while it answers`);
    }
    const record: VipRecord = { address, owner, epoch, resourceVersion: "" };
    link.call({
      execute: () => api.write({ kind: "vip", record }, resourceVersion),
      timeoutMs,
      done: (answer) =>
        this.#ports.post("http", () => {
          this.#ports.step({ type: "vip-written", address, outcome: vipOutcome(answer) });
        }),
    });
  }

  #readMember(node: string): void {
    const { api, link, timeoutMs } = this.#ports;
    link.call({
      execute: () => ({ record: api.member(node) }),
      timeoutMs,
      done: (answer) =>
        this.#ports.post("http", () => {
          const record = answer === "failed" ? "failed" : answer.record;
          this.#ports.step({ type: "member-read", node, record });
        }),
    });
  }

  #readRecords(): void {
    const { api, link } = this.#ports;
    link.call({
      execute: () => api.list(),
      timeoutMs: LIST_TIMEOUT_MS,
      done: (answer) =>
        this.#ports.post("list", () => {
          const records = answer === "failed" ? "failed" : recordsOf(answer);
          this.#ports.step({ type: "records-read", records });
        }),
    });
  }
}

/** A list of everything may take longer than one write. */
const LIST_TIMEOUT_MS = 5_000;

function recordsOf(leases: readonly Lease[]): { vips: VipRecord[]; members: MemberRecord[] } {
  const vips: VipRecord[] = [];
  const members: MemberRecord[] = [];
  for (const lease of leases) {
    if (lease.kind === "vip") vips.push(lease.record);
    else if (lease.kind === "member") members.push(lease.record);
  }
  return { vips, members };
}

function memberOutcome(answer: Lease | null | "failed"): WriteOutcome<MemberRecord> {
  if (answer === "failed") return { kind: "failed" };
  return answer?.kind === "member"
    ? { kind: "written", record: answer.record }
    : { kind: "conflict" };
}

function vipOutcome(answer: Lease | null | "failed"): WriteOutcome<VipRecord> {
  if (answer === "failed") return { kind: "failed" };
  return answer?.kind === "vip" ? { kind: "written", record: answer.record } : { kind: "conflict" };
}

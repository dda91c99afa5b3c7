// The responder thread of one node: the shipped ArpResponder, Announcer and BeaconEngine, and what
// responder-loop.ts does around them, without sockets.

import { Announcer } from "../../../src/arp/announcer.ts";
import type { ArpResponder } from "../../../src/arp/responder.ts";
import type { BeaconEngine } from "../../../src/beacon/engine.ts";
import type { EngineEffect } from "../../../src/beacon/engine-types.ts";
import type { PeerNews } from "../../../src/beacon/news.ts";
import type { Ip } from "../../../src/core/address.ts";
import type { Epoch } from "../../../src/core/epoch.ts";
import type { Mac } from "../../../src/core/mac.ts";
import type { BootMs } from "../../../src/core/time.ts";
import { after } from "../../../src/core/time.ts";
import type { Frame } from "./segment.ts";

export const INTERFACE = "eth0";
/** As in responder-loop.ts. */
const HEARD_REPORT_MS = 200;
/** Where a datagram has its kind, and that of a beacon. */
const KIND_AT = 4;
const KIND_BEACON = 0;

export const ipOfPort = (port: number): Ip => `10.0.1.${port + 1}` as Ip;
export const portOfIp = (ip: Ip): number => Number(ip.split(".")[3]) - 1;
export const macOfPort = (port: number): Mac =>
  `02:00:00:00:00:${(port + 1).toString(16).padStart(2, "0")}` as Mac;
export const portOfMac = (mac: Mac): number => Number.parseInt(mac.slice(-2), 16) - 1;

export interface ResponderPorts {
  readonly now: () => BootMs;
  /** `to` null: to everybody. */
  readonly send: (frame: Frame, to: number | null) => void;
  /** `report` is to be called when the kernel has taken it. */
  readonly onBeaconSent: (sentAt: BootMs, report: () => void) => void;
  readonly onHeard: (address: Ip, from: number) => void;
  readonly onPeer: (news: PeerNews) => void;
  readonly onAnsweringChanged: () => void;
}

export class ResponderModel {
  readonly #ports: ResponderPorts;
  readonly #responder: ArpResponder;
  readonly #engine: BeaconEngine;
  readonly #announcer = new Announcer();
  readonly #granted = new Set<Ip>();
  readonly #heardAt = new Map<Ip, BootMs>();

  constructor(parts: { responder: ArpResponder; engine: BeaconEngine }, ports: ResponderPorts) {
    this.#responder = parts.responder;
    this.#engine = parts.engine;
    this.#ports = ports;
  }

  get engine(): BeaconEngine {
    return this.#engine;
  }

  grant(
    address: Ip,
    grant: {
      readonly epoch: Epoch;
      readonly interfaces: readonly string[];
      readonly lapses: number;
    },
  ): void {
    if (!this.#engine.grant(address, grant, this.#ports.now())) return this.wake();
    this.#granted.add(address);
    this.#responder.grant(address, grant.interfaces);
    this.wake();
  }

  revoke(address: Ip): void {
    this.#engine.revoke(address, this.#ports.now());
    this.#granted.delete(address);
    this.#responder.revoke(address);
    this.#announcer.stop(address);
    this.#heardAt.delete(address);
    this.wake();
  }

  standIn(address: Ip, interfaces: readonly string[], mac: Mac | null): void {
    this.#responder.standIn(address, interfaces, mac);
  }

  /** Whether an ARP request that is looked at now gets its answer with another host's MAC. */
  standsIn(address: Ip): boolean {
    return this.#responder.standsInWith(address, INTERFACE, this.#ports.now()) !== null;
  }

  setCarrier(hasCarrier: boolean, port: number, gateway: Ip | null): void {
    const about = { interface: INTERFACE, mac: macOfPort(port), address: ipOfPort(port), gateway };
    this.perform(this.#engine.setSegments(hasCarrier ? [about] : [], this.#ports.now()));
  }

  announce(address: Ip): void {
    this.#announcer.start(address, this.#ports.now());
    this.wake();
  }

  /** Does what the engine wants done. */
  perform(effects: readonly EngineEffect[]): void {
    for (const effect of effects) this.#performOne(effect);
  }

  /** Whether an ARP request that is looked at now gets its answer. */
  answers(address: Ip): boolean {
    return (
      this.isGranted(address) && this.#responder.maySpeak(address, INTERFACE, this.#ports.now())
    );
  }

  isGranted(address: Ip): boolean {
    return this.#granted.has(address);
  }

  receive(frame: Frame, from: number): void {
    const now = this.#ports.now();
    switch (frame.kind) {
      case "announce":
        return this.#hear(frame.address, from, now);
      case "answer":
        if (this.isGranted(frame.address)) return this.#hear(frame.address, from, now);
        return this.#engine.answered(INTERFACE, frame.address, macOfPort(from), now);
      case "probe":
        if (this.answers(frame.address) || this.standsIn(frame.address)) {
          this.#ports.send({ kind: "answer", address: frame.address }, from);
        }
        return;
      case "datagram": {
        const packet = { from: ipOfPort(from), bytes: frame.bytes };
        return this.perform(this.#engine.receive(INTERFACE, packet, now));
      }
    }
  }

  wake(): void {
    const now = this.#ports.now();
    this.perform(this.#engine.wake(now));
    for (const address of this.#announcer.take(now)) {
      if (this.answers(address)) this.#ports.send({ kind: "announce", address }, null);
    }
  }

  nextDeadline(): BootMs {
    return Math.min(this.#announcer.nextDeadline(), this.#engine.nextDeadline()) as BootMs;
  }

  #performOne(effect: EngineEffect): void {
    switch (effect.type) {
      case "send": {
        const { to, bytes, sentAt } = effect;
        this.#ports.send({ kind: "datagram", bytes }, to === null ? null : portOfIp(to));
        if (sentAt === null || bytes[KIND_AT] !== KIND_BEACON) return;
        return this.#ports.onBeaconSent(sentAt, () =>
          this.perform(this.#engine.sent(INTERFACE, sentAt, this.#ports.now())),
        );
      }
      case "tenure":
        return this.#onTenure(effect.until);
      case "probe": {
        const to = effect.to === null ? null : portOfMac(effect.to);
        return this.#ports.send({ kind: "probe", address: effect.address }, to);
      }
      case "watch-hosts":
        return;
      case "tell":
        if (effect.news.type === "lapsed") this.#dropGrants();
        return this.#ports.onPeer(effect.news);
    }
  }

  #onTenure(until: BootMs): void {
    const now = this.#ports.now();
    const hasBegun = !this.#responder.hasTenure(INTERFACE, now);
    this.#responder.setTenure(INTERFACE, until);
    if (!hasBegun) return;
    this.#ports.onAnsweringChanged();
    for (const address of this.#granted) this.#announcer.start(address, now);
  }

  #dropGrants(): void {
    for (const address of this.#granted) {
      this.#responder.revoke(address);
      this.#announcer.stop(address);
    }
    this.#granted.clear();
  }

  #hear(address: Ip, from: number, now: BootMs): void {
    if (!this.isGranted(address) || now < (this.#heardAt.get(address) ?? now)) return;
    this.#heardAt.set(address, after(now, HEARD_REPORT_MS));
    this.#ports.onHeard(address, from);
  }
}

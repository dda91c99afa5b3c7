// The responder thread of one node: the shipped Grants, Announcer and BeaconEngine, and what
// responder-loop.ts does around them, without sockets.

import { Announcer } from "../../../src/answering/announcer.ts";
import { type Asked, Asks } from "../../../src/answering/asks.ts";
import type { Grants } from "../../../src/answering/grants.ts";
import type { BeaconEngine } from "../../../src/beacon/engine.ts";
import type { EngineEffect } from "../../../src/beacon/engine-types.ts";
import type { PeerNews } from "../../../src/beacon/news.ts";
import type { Ip } from "../../../src/core/address.ts";
import type { Epoch } from "../../../src/core/epoch.ts";
import { type Mac, macAt } from "../../../src/core/mac.ts";
import type { PeerEntry } from "../../../src/core/peer.ts";
import type { BootMs } from "../../../src/core/time.ts";
import { after } from "../../../src/core/time.ts";
import {
  gatewayIp,
  hostIp,
  interfaceOn,
  macOfPort,
  portOfIp,
  portOfMac,
  segmentOf,
} from "./lan.ts";
import type { Frame } from "./segment.ts";

/** As in responder-loop.ts. */
const HEARD_REPORT_MS = 200;
/** Where a datagram has its kind, and that of a beacon. */
const KIND_AT = 4;
const KIND_BEACON = 0;

export interface ResponderPorts {
  readonly now: () => BootMs;
  /** Its number on every segment. */
  readonly port: number;
  /** `to` null: to everybody. */
  readonly send: (segment: number, frame: Frame, to: number | null) => void;
  /** `report` is to be called when the kernel has taken it. */
  readonly onBeaconSent: (segment: number, sentAt: BootMs, report: () => void) => void;
  readonly onHeard: (address: Ip, segment: number, mac: Mac) => void;
  readonly onPeer: (news: PeerNews) => void;
  readonly onAsked: (asked: Asked) => void;
  readonly onAnsweringChanged: () => void;
}

export class ResponderModel {
  readonly #ports: ResponderPorts;
  readonly #responder: Grants;
  readonly #engine: BeaconEngine;
  readonly #announcer = new Announcer();
  readonly #asks = new Asks();
  /** With the interfaces. */
  readonly #granted = new Map<Ip, readonly string[]>();
  readonly #heardAt = new Map<Ip, BootMs>();

  constructor(parts: { responder: Grants; engine: BeaconEngine }, ports: ResponderPorts) {
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
    this.#granted.set(address, grant.interfaces);
    this.#responder.grant(address, grant.interfaces);
    this.wake();
  }

  revoke(address: Ip): void {
    this.#drop(address);
    this.wake();
  }

  standIn(address: Ip, interfaceName: string, mac: Mac | null): void {
    this.#responder.standIn(address, interfaceName, mac);
  }

  /** With which MAC, another host's, an ARP request that is looked at now gets its answer. */
  standsInWith(address: Ip, segment: number): Mac | null {
    const mac = this.#responder.standsInWith(address, interfaceOn(segment), this.#ports.now());
    return mac === null ? null : macAt(mac, 0);
  }

  /** Those that have a carrier. */
  setCarriers(segments: readonly number[], hasGateway: boolean): void {
    const { port } = this.#ports;
    const abouts = segments.map((segment) => ({
      interface: interfaceOn(segment),
      mac: macOfPort(segment, port),
      address: hostIp(segment, port),
      gateway: hasGateway ? gatewayIp(segment) : null,
    }));
    this.perform(this.#engine.setSegments(abouts, this.#ports.now()));
  }

  /** Asks the segment who has the address. */
  ask(address: Ip, name: string): void {
    this.#ports.send(segmentOf(name), { kind: "probe", address, to: null }, null);
    this.#asks.begin({ address, interface: name }, this.#ports.now());
    this.wake();
  }

  complain(entry: PeerEntry, name: string): void {
    this.perform(this.#engine.say("complaint", [entry], [name]));
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
  answers(address: Ip, segment: number): boolean {
    if (!this.#granted.has(address)) return false;
    return this.#responder.maySpeak(address, interfaceOn(segment), this.#ports.now());
  }

  isGranted(address: Ip): boolean {
    return this.#granted.has(address);
  }

  receive(segment: number, frame: Frame, from: number): void {
    const now = this.#ports.now();
    switch (frame.kind) {
      case "announce":
        return this.#hear(frame, segment, now);
      case "answer": {
        if (this.isGranted(frame.address)) return this.#hear(frame, segment, now);
        this.#asks.answered(frame.address, interfaceOn(segment), frame.mac);
        // The Ethernet source: who stands in for another is not that one.
        const mac = macOfPort(segment, from);
        return this.#engine.answered(interfaceOn(segment), frame.address, mac, now);
      }
      case "probe":
        return this.#answer(segment, frame.address, from);
      case "datagram": {
        const packet = { from: hostIp(segment, from), bytes: frame.bytes };
        return this.perform(this.#engine.receive(interfaceOn(segment), packet, now));
      }
    }
  }

  wake(): void {
    const now = this.#ports.now();
    this.perform(this.#engine.wake(now));
    for (const address of this.#announcer.take(now)) {
      for (const segment of this.#segmentsOf(address)) {
        if (!this.answers(address, segment)) continue;
        const mac = macOfPort(segment, this.#ports.port);
        this.#ports.send(segment, { kind: "announce", address, mac }, null);
      }
    }
    if (now >= this.#asks.nextDeadline()) this.#takeAsks(now);
  }

  #takeAsks(now: BootMs): void {
    const { again, over } = this.#asks.take(now);
    for (const { address, interface: name } of again) {
      this.#ports.send(segmentOf(name), { kind: "probe", address, to: null }, null);
    }
    for (const asked of over) this.#ports.onAsked(asked);
  }

  nextDeadline(): BootMs {
    const beaconAt = this.#engine.nextDeadline();
    return Math.min(this.#announcer.nextDeadline(), beaconAt, this.#asks.nextDeadline()) as BootMs;
  }

  #segmentsOf(address: Ip): number[] {
    return (this.#granted.get(address) ?? []).map(segmentOf);
  }

  #answer(segment: number, address: Ip, to: number): void {
    const { port, send } = this.#ports;
    const mac = this.answers(address, segment)
      ? macOfPort(segment, port)
      : this.standsInWith(address, segment);
    if (mac !== null) send(segment, { kind: "answer", address, mac }, to);
  }

  #performOne(effect: EngineEffect): void {
    switch (effect.type) {
      case "send": {
        const { to, bytes, sentAt, interface: name } = effect;
        const segment = segmentOf(name);
        this.#ports.send(segment, { kind: "datagram", bytes }, to === null ? null : portOfIp(to));
        if (sentAt === null || bytes[KIND_AT] !== KIND_BEACON) return;
        return this.#ports.onBeaconSent(segment, sentAt, () =>
          this.perform(this.#engine.sent(name, sentAt, this.#ports.now())),
        );
      }
      case "tenure":
        return this.#onTenure(effect.interface, effect.until);
      case "probe": {
        const { address, to, interface: name } = effect;
        const port = to === null ? null : portOfMac(to);
        return this.#ports.send(segmentOf(name), { kind: "probe", address, to }, port);
      }
      case "watch-hosts":
        return;
      case "tell":
        if (effect.news.type === "lapsed") this.#dropGrants(effect.news.interface);
        return this.#ports.onPeer(effect.news);
    }
  }

  #onTenure(name: string, until: BootMs): void {
    const now = this.#ports.now();
    const hasBegun = !this.#responder.hasTenure(name, now);
    this.#responder.setTenure(name, until);
    if (!hasBegun) return;
    this.#ports.onAnsweringChanged();
    for (const [address, interfaces] of this.#granted) {
      if (interfaces.includes(name)) this.#announcer.start(address, now);
    }
  }

  #dropGrants(name: string): void {
    for (const [address, interfaces] of this.#granted) {
      if (interfaces.includes(name)) this.#drop(address);
    }
  }

  #drop(address: Ip): void {
    this.#engine.revoke(address, this.#ports.now());
    this.#granted.delete(address);
    this.#responder.revoke(address);
    this.#announcer.stop(address);
    this.#heardAt.delete(address);
  }

  #hear({ address, mac }: { address: Ip; mac: Mac }, segment: number, now: BootMs): void {
    if (!this.isGranted(address) || now < (this.#heardAt.get(address) ?? now)) return;
    // Another interface of this host, on the same network.
    if (portOfMac(mac) === this.#ports.port) return;
    this.#heardAt.set(address, after(now, HEARD_REPORT_MS));
    this.#ports.onHeard(address, segment, mac);
  }
}

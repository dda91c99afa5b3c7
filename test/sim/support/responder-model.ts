// The responder thread of one node: the shipped ArpResponder and Announcer, and what
// responder-loop.ts does around them, without sockets.

import { Announcer } from "../../../src/arp/announcer.ts";
import type { ArpResponder } from "../../../src/arp/responder.ts";
import type { Ip } from "../../../src/core/address.ts";
import type { BootMs } from "../../../src/core/time.ts";
import { after } from "../../../src/core/time.ts";

export const INTERFACE = "eth0";
/** As in responder-loop.ts. */
const HEARD_REPORT_MS = 200;

export interface ResponderPorts {
  readonly now: () => BootMs;
  readonly send: (address: Ip) => void;
  readonly onHeard: (address: Ip, from: number) => void;
}

export class ResponderModel {
  readonly #ports: ResponderPorts;
  readonly #responder: ArpResponder;
  readonly #announcer = new Announcer();
  readonly #granted = new Set<Ip>();
  readonly #heardAt = new Map<Ip, BootMs>();

  constructor(responder: ArpResponder, ports: ResponderPorts) {
    this.#responder = responder;
    this.#ports = ports;
  }

  grant(address: Ip, interfaces: readonly string[]): void {
    this.#granted.add(address);
    this.#responder.grant(address, interfaces);
  }

  revoke(address: Ip): void {
    this.#granted.delete(address);
    this.#responder.revoke(address);
    this.#announcer.stop(address);
    this.#heardAt.delete(address);
  }

  setTenure(until: BootMs): void {
    this.#responder.setTenure(until);
  }

  announce(address: Ip): void {
    this.#announcer.start(address, this.#ports.now());
    this.wake();
  }

  /** Whether an ARP request that is looked at now gets its answer. */
  answers(address: Ip): boolean {
    return this.#responder.maySpeak(address, INTERFACE, this.#ports.now());
  }

  isGranted(address: Ip): boolean {
    return this.#granted.has(address);
  }

  receive(address: Ip, from: number): void {
    const now = this.#ports.now();
    if (!this.isGranted(address) || now < (this.#heardAt.get(address) ?? now)) return;
    this.#heardAt.set(address, after(now, HEARD_REPORT_MS));
    this.#ports.onHeard(address, from);
  }

  wake(): void {
    const now = this.#ports.now();
    for (const address of this.#announcer.take(now)) {
      if (this.answers(address)) this.#ports.send(address);
    }
  }

  nextDeadline(): BootMs {
    return this.#announcer.nextDeadline();
  }
}

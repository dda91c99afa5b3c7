// What the responder thread asks the segments, and who answers: who has a VIP that a node owns, and
// whether anybody uses an address that nobody should. A part of its loop, apart for its length.

import { Asks } from "../answering/asks.ts";
import type { FrameReader, Sighting } from "../answering/frame-reader.ts";
import type { Ip } from "../core/address.ts";
import type { Mac } from "../core/mac.ts";
import type { BootMs } from "../core/time.ts";
import { earliest } from "../core/time.ts";
import type { FromResponder, ToResponder } from "./responder-messages.ts";
import { WatchedAddresses } from "./watched-addresses.ts";

/**
 * RFC 5227 section 1.1 lets a host that configures itself wait for seconds. A Service does not: a
 * host on the same segment answers within a few milliseconds, unless it sleeps.
 */
const HURRIED = { againMs: 100, forMs: 200 };
/** What nobody waits for leaves time for hosts that sleep. */
const UNHURRIED = { againMs: 500, forMs: 1_000 };

export interface WireQuestionPorts {
  /** Probes for the addresses; `to` null: to everybody. False: they could not be sent. */
  readonly send: (interfaceName: string, addresses: readonly Ip[], to: Mac | null) => boolean;
  readonly post: (message: FromResponder) => void;
}

export class WireQuestions {
  readonly #ports: WireQuestionPorts;
  readonly #owners = new Asks();
  readonly #users = new Asks();
  readonly #people = new Asks();
  readonly #watched = new WatchedAddresses();

  constructor(ports: WireQuestionPorts) {
    this.#ports = ports;
  }

  /** What could not be asked has no answer, which is no silence of anybody. */
  whoOwns(ask: Extract<ToResponder, { type: "ask" }>, now: BootMs): void {
    if (!this.#ports.send(ask.interface, [ask.address], null)) return;
    this.#owners.begin(ask, now, { owner: ask.owner });
  }

  /** As `whoOwns`, for a person. */
  look({ address, interface: name }: Extract<ToResponder, { type: "look" }>, now: BootMs): void {
    if (this.#ports.send(name, [address], null)) {
      this.#people.begin({ address, interface: name }, now);
    }
  }

  /** RFC 5227 section 2.1.1, RFC 4862 section 5.4, for addresses that are to be handed out. */
  whoUses({ interface: name, addresses, isHurried }: Probing, now: BootMs): void {
    if (!this.#ports.send(name, addresses, null)) {
      const unsent = addresses.map((address) => ({ address, interface: name, macs: null }));
      return this.#ports.post({ type: "probed", probed: unsent });
    }
    const times = isHurried ? HURRIED : UNHURRIED;
    for (const address of addresses) {
      this.#users.begin({ address, interface: name }, now, { times });
      this.#watched.add(address, now);
    }
  }

  /** A reply on the interface, which is a use as well. */
  onReply({ address, mac }: Sighting, interfaceName: string): void {
    this.#owners.answered(address, interfaceName, mac);
    this.#people.answered(address, interfaceName, mac);
  }

  /**
   * A reply or request on the interface. RFC 5227 section 2.1.1, RFC 4862 section 5.4: whoever
   * sends anything from the address uses it, and whoever probes for it at the same time is about
   * to. For some minutes after it was asked for that is told, too: what was found out is void.
   */
  onUse(reader: FrameReader, frame: Uint8Array, interfaceName: string, now: BootMs): void {
    // Most frames are about something else: those that ask for VIPs do not wait for this.
    const used = reader.usedBy(frame);
    if (!this.#watched.has(used)) return;
    const { address, mac } = reader.useOf(frame);
    this.#users.answered(address, interfaceName, mac);
    if (!this.#watched.mayTell(used, now)) return;
    this.#ports.post({ type: "sighted", sighted: { address, interface: interfaceName, mac } });
  }

  /** Null: all. */
  unwatch(address: Ip | null): void {
    this.#watched.remove(address);
  }

  /** Asks again where nobody answered, and tells what is known. */
  wake(now: BootMs): void {
    const owners = this.#owners.take(now);
    const users = this.#users.take(now);
    const people = this.#people.take(now);
    const all = [...owners.again, ...users.again, ...people.again];
    const again = Map.groupBy(all, (one) => one.interface);
    for (const [name, asked] of again) {
      this.#ports.send(
        name,
        asked.map(({ address }) => address),
        null,
      );
    }
    for (const { interface: name, address, to } of owners.alone) {
      this.#ports.send(name, [address], to);
    }
    if (owners.over.length > 0) this.#ports.post({ type: "asked", asked: owners.over });
    for (const seen of people.over) this.#ports.post({ type: "seen", seen });
    if (users.over.length === 0) return;
    const probed = users.over.map(({ isDeaf: _, ...known }) => known);
    this.#ports.post({ type: "probed", probed });
  }

  nextDeadline(): BootMs {
    const asks = [this.#owners, this.#users, this.#people];
    return earliest(...asks.map((one) => one.nextDeadline()));
  }
}

interface Probing {
  readonly interface: string;
  readonly addresses: readonly Ip[];
  readonly isHurried: boolean;
}

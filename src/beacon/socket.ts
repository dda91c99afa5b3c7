// The UDP sockets of the beacons: a link-local group on each segment, and unicast between peers;
// over IPv4, or over IPv6 where a segment has no IPv4. It moves datagrams and nothing else: it does
// not look into them, and whoever has an address on the segment can send any. A datagram that the
// kernel took may still be lost, on an interface without carrier for certain.

import { createSocket, type Socket } from "node:dgram";
import type { Ip, IpPrefix } from "../core/address.ts";
import { rangeContains } from "../core/address.ts";
import { errorText } from "../core/errors.ts";
import { familyOf, type LinkLocalFamily } from "./link-local.ts";

export const BEACON_PORT = 7473;

/** Also for unicast: peers are neighbours. */
const TTL = 1;
/** How often everything is looked at and, where it is not as it should be, tried again. */
const ENSURE_EVERY_MS = 1_000;

/** A segment: the own address there, and the prefix that its neighbours are in. */
export interface BeaconSegmentAddress {
  readonly interface: string;
  /** IPv4, or link-local IPv6. */
  readonly address: Ip;
  readonly prefix: IpPrefix;
}

export interface BeaconSocketOptions {
  readonly port: number;
  /** `interface`: the segment whose prefix holds `from`; with overlapping prefixes, the first. */
  readonly onDatagram: (datagram: { interface: string; from: Ip; bytes: Uint8Array }) => void;
  /**
   * Trouble with a segment, told once until it works again (null); the socket goes on trying by
   * itself each second. Nothing more is told of a segment that is removed.
   */
  readonly onProblem: (interfaceName: string, message: string | null) => void;
}

export interface BeaconSocketCounters {
  /** Given to onDatagram. */
  readonly received: number;
  /** Taken by the kernel. */
  readonly sent: number;
  readonly sendFailed: number;
  /** From an address that is on no segment; dropped. */
  readonly foreign: number;
}

interface Receiver {
  readonly socket: Socket;
  /** With those in interfaces that are gone. */
  memberships: number;
}

interface Segment {
  wanted: BeaconSegmentAddress;
  /** Sends, and receives unicast: the kernel prefers it to the one that is bound to any address. */
  socket: Socket | null;
  setupProblem: string | null;
  /** Of the last datagram to the group. */
  sendProblem: string | null;
  isToldOf: boolean;
}

export class BeaconSocket {
  readonly #options: BeaconSocketOptions;
  readonly #segments = new Map<string, Segment>();
  /** By family: what is sent to the group, on all segments. */
  readonly #receivers = new Map<LinkLocalFamily, Receiver>();
  #timer: NodeJS.Timeout | null = null;
  readonly #counters = { received: 0, sent: 0, sendFailed: 0, foreign: 0 };

  constructor(options: BeaconSocketOptions) {
    this.#options = options;
  }

  /** Starts. What does not work is told to onProblem, the first time from within this call. */
  open(): void {
    if (this.#timer !== null) return;
    this.#timer = setInterval(() => this.#ensure(), ENSURE_EVERY_MS);
    this.#ensure();
  }

  /** Replaces the segments, one an interface: leaves those that are gone, joins those new. */
  setSegments(segments: readonly BeaconSegmentAddress[]): void {
    const wanted = new Map(segments.map((segment) => [segment.interface, segment]));
    // First leave: a membership is the interface's, and would be taken from its new address.
    for (const [name, segment] of this.#segments) {
      const next = wanted.get(name);
      if (next?.address !== segment.wanted.address) this.#leave(segment);
      if (next === undefined) this.#segments.delete(name);
      else segment.wanted = next;
    }
    for (const [name, next] of wanted) {
      if (this.#segments.has(name)) continue;
      const none = { socket: null, setupProblem: null, sendProblem: null, isToldOf: false };
      this.#segments.set(name, { wanted: next, ...none });
    }
    if (this.#timer !== null) this.#ensure();
  }

  /**
   * Hands the bytes to the kernel before it returns, or fails. `to` is an address, null the group.
   * `done` is called once and later, with true only when the kernel took the datagram; until then
   * the bytes must stay as they are.
   */
  send(interfaceName: string, to: Ip | null, bytes: Uint8Array, done: (ok: boolean) => void): void {
    const segment = this.#segments.get(interfaceName);
    const socket = segment?.socket ?? null;
    // With a full buffer one datagram waits in the process. Others would only grow old behind it.
    if (segment === undefined || socket === null || socket.getSendQueueCount() > 0) {
      this.#counters.sendFailed++;
      process.nextTick(done, false);
      return;
    }
    const { address } = segment.wanted;
    const family = familyOf(address);
    const host = family.host(to ?? family.group, interfaceName);
    socket.send(bytes, this.#options.port, host, (error) => {
      const problem = error === null ? null : `Cannot send beacons: ${errorText(error)}`;
      this.#counters[problem === null ? "sent" : "sendFailed"]++;
      if (to === null && segment.socket === socket) {
        segment.sendProblem = problem;
        this.#tell(segment);
      }
      done(problem === null);
    });
  }

  counters(): BeaconSocketCounters {
    return { ...this.#counters };
  }

  /** For good. Nothing is told and received after it; what is being sent is still `done`. */
  close(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
    for (const segment of this.#segments.values()) segment.socket?.close();
    this.#segments.clear();
    for (const { socket } of this.#receivers.values()) socket.close();
    this.#receivers.clear();
  }

  /** Makes everything as it should be; harmless where it is. */
  #ensure(): void {
    // The kernel allows few memberships (net.ipv4.igmp_max_memberships) and keeps those in
    // interfaces that are gone. They end with the socket only.
    for (const [family, { socket, memberships }] of [...this.#receivers]) {
      const wanted = [...this.#segments.values()].filter((one) => familyIn(one) === family);
      if (memberships > wanted.length) this.#lose(socket);
    }
    for (const segment of [...this.#segments.values()]) {
      try {
        this.#ensureSegment(segment);
        segment.setupProblem = null;
      } catch (thrown) {
        segment.setupProblem = `Cannot exchange beacons: ${errorText(thrown)}`;
      }
      this.#tell(segment);
    }
  }

  /**
   * The kernel keeps interfaces by index. One that was made again has another, so the address is
   * looked up each time, which also fails while no interface has it.
   */
  #ensureSegment(segment: Segment): void {
    const { address, interface: name } = segment.wanted;
    const family = familyOf(address);
    const receiver = this.#receiverOf(family);
    const scope = family.scope(address, name);
    segment.socket ??= this.#bind(family, family.host(address, name));
    try {
      segment.socket.setMulticastInterface(scope);
    } catch (thrown) {
      // Bound to a link-local address it stays with the interface as it was: a new one is needed.
      this.#lose(segment.socket);
      throw thrown;
    }
    try {
      receiver.socket.addMembership(family.group, scope);
      receiver.memberships++;
    } catch (thrown) {
      // EADDRINUSE: a member already.
      if (codeOf(thrown) !== "EADDRINUSE") throw thrown;
    }
  }

  #receiverOf(family: LinkLocalFamily): Receiver {
    const known = this.#receivers.get(family);
    if (known !== undefined) return known;
    const receiver = { socket: this.#bind(family, family.anyAddress), memberships: 0 };
    this.#receivers.set(family, receiver);
    return receiver;
  }

  /** Throws when the address is not there or taken. */
  #bind({ socketType, family }: LinkLocalFamily, address: string): Socket {
    const socket = createSocket({
      type: socketType,
      reuseAddr: true,
      ipv6Only: family === 6,
      // Without it, send() asks the resolver, and the datagram leaves in a later turn.
      lookup: (host, _options, callback) => callback(null, host, family),
    });
    socket.on("error", () => this.#lose(socket));
    socket.on("message", (bytes, { address: from }) => this.#receive(from, bytes));
    try {
      socket.bindSync({ address, port: this.#options.port });
      socket.setTTL(TTL);
      socket.setMulticastTTL(TTL);
      socket.setMulticastLoopback(false);
    } catch (thrown) {
      socket.close();
      throw thrown;
    }
    return socket;
  }

  /** `from`: with the interface behind it, where it is link-local. */
  #receive(from: string, bytes: Uint8Array): void {
    const [address = "", zone] = from.split("%");
    for (const { wanted } of this.#segments.values()) {
      const isHere = zone === undefined || zone === wanted.interface;
      if (!isHere || !rangeContains(wanted.prefix, address as Ip)) continue;
      this.#counters.received++;
      this.#options.onDatagram({ interface: wanted.interface, from: address as Ip, bytes });
      return;
    }
    this.#counters.foreign++;
  }

  /** It is made again by the next #ensure(). */
  #lose(socket: Socket): void {
    const owner = [...this.#segments.values()].find((segment) => segment.socket === socket);
    const receiver = [...this.#receivers].find(([, one]) => one.socket === socket);
    if (owner !== undefined) owner.socket = null;
    else if (receiver !== undefined) this.#receivers.delete(receiver[0]);
    else return;
    socket.close();
  }

  #leave(segment: Segment): void {
    segment.socket?.close();
    segment.socket = null;
    segment.sendProblem = null;
    const { address, interface: name } = segment.wanted;
    const family = familyOf(address);
    const receiver = this.#receivers.get(family);
    if (receiver === undefined) return;
    try {
      receiver.socket.dropMembership(family.group, family.scope(address, name));
      receiver.memberships--;
    } catch {
      // Never joined, or the interface is gone.
    }
  }

  #tell(segment: Segment): void {
    const name = segment.wanted.interface;
    const problem = segment.setupProblem ?? segment.sendProblem;
    const isTrouble = problem !== null;
    if (isTrouble === segment.isToldOf || this.#segments.get(name) !== segment) return;
    segment.isToldOf = isTrouble;
    this.#options.onProblem(name, problem);
  }
}

function codeOf(thrown: unknown): unknown {
  return thrown instanceof Error ? (thrown as NodeJS.ErrnoException).code : undefined;
}

function familyIn({ wanted }: Segment): LinkLocalFamily {
  return familyOf(wanted.address);
}

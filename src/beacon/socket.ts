// The UDP socket of the beacons: a link-local group on each segment, and unicast between peers. It
// moves datagrams and nothing else: it does not look into them, and whoever has an address on the
// segment can send any. A datagram that the kernel took may still be lost, on an interface without
// carrier for certain.

import { createSocket, type Socket } from "node:dgram";
import type { Ip, IpPrefix } from "../core/address.ts";
import { rangeContains } from "../core/address.ts";
import { errorText } from "../core/errors.ts";

export const BEACON_PORT = 7473;
/**
 * In 224.0.0.0/24: never routed (RFC 5771 section 4), and flooded by switches that snoop IGMP
 * (RFC 4541 section 2.1.2), so that nobody has to ask for it.
 */
export const BEACON_GROUP = "224.0.0.254" as Ip;

const ANY_ADDRESS = "0.0.0.0";
/** Also for unicast: peers are neighbours. */
const TTL = 1;
/** How often everything is looked at and, where it is not as it should be, tried again. */
const ENSURE_EVERY_MS = 1_000;

/** A segment: the own address there, and the prefix that its neighbours are in. */
export interface BeaconSegmentAddress {
  readonly interface: string;
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
  /** Receives what is sent to the group, on all segments. */
  #receiver: Socket | null = null;
  /** Of the receiver, with those in interfaces that are gone. */
  #memberships = 0;
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
   * Hands the bytes to the kernel before it returns, or fails. `to` is an IPv4 address, null the
   * group. `done` is called once and later, with true only when the kernel took the datagram;
   * until then the bytes must stay as they are.
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
    socket.send(bytes, this.#options.port, to ?? BEACON_GROUP, (error) => {
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
    this.#receiver?.close();
    this.#receiver = null;
  }

  /** Makes everything as it should be; harmless where it is. */
  #ensure(): void {
    // The kernel allows few memberships (net.ipv4.igmp_max_memberships) and keeps those in
    // interfaces that are gone. They end with the socket only.
    if (this.#receiver !== null && this.#memberships > this.#segments.size) {
      this.#lose(this.#receiver);
    }
    for (const segment of [...this.#segments.values()]) {
      try {
        this.#receiver ??= this.#bind(ANY_ADDRESS);
        this.#ensureSegment(segment, this.#receiver);
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
  #ensureSegment(segment: Segment, receiver: Socket): void {
    const { address } = segment.wanted;
    segment.socket ??= this.#bind(address);
    segment.socket.setMulticastInterface(address);
    try {
      receiver.addMembership(BEACON_GROUP, address);
      this.#memberships++;
    } catch (thrown) {
      // EADDRINUSE: a member already.
      if (codeOf(thrown) !== "EADDRINUSE") throw thrown;
    }
  }

  /** Throws when the address is not there or taken. */
  #bind(address: string): Socket {
    const socket = createSocket({
      type: "udp4",
      reuseAddr: true,
      // Without it, send() asks the resolver, and the datagram leaves in a later turn.
      lookup: (host, _options, callback) => callback(null, host, 4),
    });
    socket.on("error", () => this.#lose(socket));
    socket.on("message", (bytes, { address }) => this.#receive(address as Ip, bytes));
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

  #receive(from: Ip, bytes: Uint8Array): void {
    for (const { wanted } of this.#segments.values()) {
      if (!rangeContains(wanted.prefix, from)) continue;
      this.#counters.received++;
      this.#options.onDatagram({ interface: wanted.interface, from, bytes });
      return;
    }
    this.#counters.foreign++;
  }

  /** It is made again by the next #ensure(). */
  #lose(socket: Socket): void {
    const owner = [...this.#segments.values()].find((segment) => segment.socket === socket);
    if (owner !== undefined) owner.socket = null;
    else if (this.#receiver !== socket) return;
    else {
      this.#receiver = null;
      this.#memberships = 0;
    }
    socket.close();
  }

  #leave(segment: Segment): void {
    segment.socket?.close();
    segment.socket = null;
    segment.sendProblem = null;
    if (this.#receiver === null) return;
    try {
      this.#receiver.dropMembership(BEACON_GROUP, segment.wanted.address);
      this.#memberships--;
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

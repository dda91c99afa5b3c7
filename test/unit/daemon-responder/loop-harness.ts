// A ResponderLoop with a real beacon engine, a clock that the test moves, sockets that the test
// feeds, and a record of what was sent and told. Nothing here waits.

import { createHash } from "node:crypto";
import type {
  FrameBatch,
  FrameSocket,
  FrameSocketOptions,
} from "../../../src/answering/frame-socket.ts";
import { ARP } from "../../../src/arp/protocol.ts";
import type { ArpPacket } from "../../../src/arp/wire.ts";
import { ARP_FRAME_BYTES, announcements, decodeArp, encodeArp } from "../../../src/arp/wire.ts";
import type { DatagramBody } from "../../../src/beacon/body.ts";
import { BeaconEngine } from "../../../src/beacon/engine.ts";
import { DEFAULT_BEACON_SETTINGS } from "../../../src/beacon/engine-types.ts";
import type { PeerNews } from "../../../src/beacon/news.ts";
import type { BeaconSegmentAddress, BeaconSocketCounters } from "../../../src/beacon/socket.ts";
import { decodeDatagram, encodeDatagram } from "../../../src/beacon/wire.ts";
import type { Ip, IpRange } from "../../../src/core/address.ts";
import { parsePrefix } from "../../../src/core/address.ts";
import { epochOf } from "../../../src/core/epoch.ts";
import { AppError } from "../../../src/core/errors.ts";
import type { Mac } from "../../../src/core/mac.ts";
import { MAC_BROADCAST, MAC_ZERO } from "../../../src/core/mac.ts";
import type { BootMs } from "../../../src/core/time.ts";
import { after, bootMs, NEVER } from "../../../src/core/time.ts";
import { ResponderLoop } from "../../../src/daemon/responder-loop.ts";
import type {
  AnsweringInterface,
  FromResponder,
  ResponderReport,
} from "../../../src/daemon/responder-messages.ts";
import type { BeaconPort, GroupPort } from "../../../src/daemon/responder-ports.ts";
import { NDP } from "../../../src/ndp/protocol.ts";
import { decodeNdp, type NdpPacket } from "../../../src/ndp/wire.ts";
import { hmac } from "../../support/beacon-datagrams.ts";

export const ETH0: AnsweringInterface = link("eth0", 7, "02:00:00:00:64:0b", "192.168.100.11");
export const ETH1: AnsweringInterface = link("eth1", 8, "02:00:00:00:65:0b", "192.168.101.11");
export const CLIENT = "02:00:00:00:64:02" as Mac;
export const OTHER_NODE = "02:00:00:00:64:0c" as Mac;
export const VIP = "192.168.100.200" as Ip;
export const CLIENT_IP = "192.168.100.2" as Ip;

export const EPOCH = epochOf(3);
/** Of the beacons of this harness: listening before the first, and how long they hold. */
export const HOLD_MS = 300;
export const TENURE_MS = 290;
export const KEY = new Uint8Array(32).fill(7);
export const CLUSTER = "0123456789abcdef";

const SLOTS = 64;
const SLOT_BYTES = 128;
const POISON = 0xa5;

/** `own`: its address in a /24, or null. */
export function link(
  name: string,
  index: number,
  mac: string,
  own: string | null = null,
): AnsweringInterface {
  const prefix = own === null ? null : parsePrefix(`${own}/24`);
  const address = prefix === null ? null : { ip: own as Ip, prefix };
  return { name, index, mac: mac as Mac, address, gateway: null };
}

/** Somebody asks for `target` by broadcast. */
export function request(target: Ip = VIP, changes: Partial<ArpPacket> = {}): Uint8Array {
  return bytesOf({
    destination: MAC_BROADCAST,
    source: CLIENT,
    operation: "request",
    senderMac: CLIENT,
    senderIp: CLIENT_IP,
    targetMac: MAC_ZERO,
    targetIp: target,
    ...changes,
  });
}

/** What the owner of `mac` answers to a probe of the node for `address`. */
export function answer(mac: Mac, address: Ip): Uint8Array {
  return bytesOf({
    destination: ETH0.mac,
    source: mac,
    operation: "reply",
    senderMac: mac,
    senderIp: address,
    targetMac: ETH0.mac,
    targetIp: "0.0.0.0" as Ip,
  });
}

/** The gratuitous request with which the owner of `mac` announces `address`. */
export function announcement(mac: Mac, address: Ip = VIP): Uint8Array {
  return bytesOf(announcements(address, mac)[0]);
}

function bytesOf(packet: ArpPacket): Uint8Array {
  const bytes = new Uint8Array(ARP_FRAME_BYTES);
  encodeArp(packet, bytes);
  return bytes;
}

export class FakeSocket implements FrameSocket {
  readonly options: FrameSocketOptions;
  readonly sent: ArpPacket[] = [];
  /** On the socket for Neighbor Discovery. */
  readonly sentNdp: NdpPacket[] = [];
  /** How many frames each flush offered to the kernel. */
  readonly flushes: number[] = [];
  ranges: readonly IpRange[];
  isClosed = false;
  /** Why the kernel takes no other filter, or null. */
  refusesRanges: string | null = null;
  /** What the kernel takes of a flush. */
  accepts = SLOTS;
  readonly #slots = Array.from({ length: SLOTS }, () => new Uint8Array(SLOT_BYTES));
  readonly #lengths: number[] = [];
  #reserved = 0;

  constructor(options: FrameSocketOptions) {
    this.options = options;
    this.ranges = options.ranges;
  }

  setRanges(ranges: readonly IpRange[]): void {
    if (this.refusesRanges !== null) throw new AppError("PACKET_SOCKET", this.refusesRanges);
    this.ranges = ranges;
  }

  reserve(bytes: number): Uint8Array | null {
    const slot = this.isClosed ? undefined : this.#slots[this.#reserved];
    if (slot === undefined) return null;
    this.#lengths[this.#reserved] = bytes;
    this.#reserved += 1;
    return slot.fill(POISON);
  }

  flush(): number {
    const count = this.isClosed ? 0 : Math.min(this.#reserved, this.accepts);
    this.flushes.push(this.#reserved);
    this.#reserved = 0;
    for (const [i, slot] of this.#slots.slice(0, count).entries()) {
      this.#note(slot.subarray(0, this.#lengths[i]));
    }
    return count;
  }

  #note(frame: Uint8Array): void {
    const packet = this.options.protocol === NDP ? decodeNdp(frame) : decodeArp(frame);
    if (typeof packet === "string") throw new Error(`A frame that is ${packet} was sent`);
    if ("senderIp" in packet) this.sent.push(packet);
    else this.sentNdp.push(packet);
  }

  close(): void {
    this.isClosed = true;
  }

  /** Frames arrive; `lengths` are their true lengths where those differ. */
  deliver(frames: readonly Uint8Array[], lengths = frames.map((frame) => frame.length)): void {
    const batch: FrameBatch = {
      count: frames.length,
      frames: [...frames, new Uint8Array(2_048).fill(POISON)],
      lengths: Uint32Array.from(lengths),
    };
    this.options.onFrames(batch);
  }

  /** The interface goes down. */
  break(): void {
    this.isClosed = true;
    this.options.onError(
      new AppError("PACKET_SOCKET", "Cannot receive ARP: the interface is down"),
    );
  }
}

interface SentDatagram {
  readonly interface: string;
  readonly to: Ip | null;
  readonly body: DatagramBody;
  readonly at: BootMs;
}

/** Takes what is sent, and says so at once; or says that the kernel did not take it. */
export class FakeBeacons implements BeaconPort {
  readonly sent: SentDatagram[] = [];
  segments: readonly BeaconSegmentAddress[] = [];
  /** Interfaces on which the kernel takes nothing. */
  readonly refused = new Set<string>();
  isClosed = false;
  readonly #now: () => BootMs;

  constructor(now: () => BootMs) {
    this.#now = now;
  }

  setSegments(segments: readonly BeaconSegmentAddress[]): void {
    this.segments = segments;
  }

  send(name: string, to: Ip | null, bytes: Uint8Array, done: (isSent: boolean) => void): void {
    const decoded = decodeDatagram(bytes, [KEY], hmac);
    if (!decoded.ok) throw new Error(`A datagram that is ${decoded.reason} was sent`);
    const { body } = decoded.value;
    this.sent.push({ interface: name, to, body, at: this.#now() });
    done(!this.refused.has(name));
  }

  counters(): BeaconSocketCounters {
    return { received: 0, sent: this.sent.length, sendFailed: 0, foreign: 0 };
  }

  close(): void {
    this.isClosed = true;
  }
}

/** The groups that are joined now, as `interface address`, and how often each interface's were. */
export class FakeGroups implements GroupPort {
  readonly problem = null;
  readonly joined = new Set<string>();
  readonly left: string[] = [];
  readonly rejoined: string[] = [];
  retries = 0;
  isClosed = false;

  join(name: string, address: Ip): void {
    this.joined.add(`${name} ${address}`);
  }

  leave(name: string, address: Ip): void {
    this.joined.delete(`${name} ${address}`);
    this.left.push(`${name} ${address}`);
  }

  rejoin(name: string): void {
    this.rejoined.push(name);
  }

  retry(): void {
    this.retries += 1;
  }

  close(): void {
    this.isClosed = true;
  }
}

export class Harness {
  readonly loop: ResponderLoop;
  /** Of both protocols, in the order in which they were opened. */
  readonly all: FakeSocket[] = [];
  readonly beacons = new FakeBeacons(() => this.now);
  readonly groups = new FakeGroups();
  readonly posted: FromResponder[] = [];
  now: BootMs = bootMs(50_000);
  /** Reason why sockets cannot be opened, or null. */
  refuse: string | null = null;
  #wakeAt: BootMs = NEVER;
  #sequence = 0;

  constructor() {
    this.loop = new ResponderLoop({
      engine: new BeaconEngine({
        node: "n1",
        incarnation: 1,
        settings: DEFAULT_BEACON_SETTINGS,
        hmac,
        sha256: (text) => createHash("sha256").update(text).digest("hex"),
      }),
      beacons: this.beacons,
      now: () => this.now,
      post: (message) => void this.posted.push(message),
      groups: this.groups,
      takeLoopDelays: () => [["1", 0.25]],
      openSocket: (options) => this.#open(options),
      wakeIn: (milliseconds) => {
        this.#wakeAt = milliseconds === null ? NEVER : after(this.now, milliseconds);
      },
    });
  }

  get isAsleep(): boolean {
    return this.#wakeAt === NEVER;
  }

  /** Interfaces, and what beacons need: after HOLD_MS their tenures begin, and go on. */
  join(interfaces: readonly AnsweringInterface[] = [ETH0]): void {
    this.loop.receive({ type: "cluster", cluster: CLUSTER });
    this.loop.receive({ type: "beacon-keys", sending: KEY, accepted: [KEY] });
    this.loop.receive({ type: "interfaces", interfaces });
  }

  /** Joined, with tenures that have begun, and a grant on the interfaces. */
  grant(address: Ip = VIP, interfaces: readonly AnsweringInterface[] = [ETH0]): void {
    this.join(interfaces);
    this.pass(HOLD_MS);
    this.regrant(
      address,
      interfaces.map(({ name }) => name),
    );
  }

  /** The grant alone. */
  regrant(address: Ip = VIP, interfaces: readonly string[] = ["eth0"], lapses = 0): void {
    this.loop.receive({ type: "grant", address, epoch: EPOCH, interfaces, lapses });
  }

  /** A datagram of node n2 arrives on eth0, from 192.168.100.12; asked to, n2 proves itself. */
  receive(body: DatagramBody, cluster = CLUSTER): void {
    this.#sequence += 1;
    const from = "192.168.100.12" as Ip;
    const head = { cluster, node: "n2", incarnation: 1, sequence: this.#sequence };
    const bytes = encodeDatagram({ ...head, address: from, body }, KEY, hmac);
    const before = this.beacons.sent.length;
    this.loop.onDatagram({ interface: "eth0", from, bytes });
    const [asked] = this.beacons.sent.slice(before);
    if (asked?.body.kind === "challenge") this.receive({ ...asked.body, kind: "proof" });
  }

  /** What the main thread was told of peers and tenures; it is told once. */
  news(): PeerNews[] {
    const told = this.posted.flatMap((message) => (message.type === "peer" ? [message.news] : []));
    const rest = this.posted.filter((message) => message.type !== "peer");
    this.posted.splice(0, this.posted.length, ...rest);
    return told;
  }

  /** Moves the clock, waking the loop when it asked for it. */
  pass(milliseconds: number): void {
    const end = after(this.now, milliseconds);
    while (this.#wakeAt <= end) {
      this.now = bootMs(Math.max(this.now, this.#wakeAt));
      this.loop.wake();
    }
    this.now = end;
  }

  /** The open socket of an interface; default: that for ARP. */
  socket(index = ETH0.index, protocol = ARP): FakeSocket {
    const isWanted = ({ options }: FakeSocket): boolean =>
      options.interfaceIndex === index && options.protocol === protocol;
    const found = this.all.findLast((socket) => isWanted(socket) && !socket.isClosed);
    if (found === undefined) throw new Error(`No open socket on interface ${index}`);
    return found;
  }

  /** Those for ARP, in the order in which they were opened. */
  get sockets(): FakeSocket[] {
    return this.all.filter(({ options }) => options.protocol === ARP);
  }

  report(): ResponderReport {
    this.loop.receive({ type: "report", withAnswers: true });
    const message = this.posted.pop();
    if (message?.type !== "report") throw new Error("No report was posted");
    return message.report;
  }

  /** The counter of that name: of beacons, or of ARP. */
  count(name: string): number {
    const { counters } = this.report();
    return counters[name] ?? counters[`arp-${name}`] ?? Number.NaN;
  }

  heard(): FromResponder[] {
    return this.posted.filter((message) => message.type === "heard");
  }

  #open(options: FrameSocketOptions): FakeSocket {
    if (this.refuse !== null) throw new AppError("PACKET_SOCKET", this.refuse);
    const socket = new FakeSocket(options);
    this.all.push(socket);
    return socket;
  }
}

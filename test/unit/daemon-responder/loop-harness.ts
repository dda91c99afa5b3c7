// A ResponderLoop with a clock that the test moves, sockets that the test feeds, and a record of
// what was sent and told. Nothing here waits.

import type {
  FrameBatch,
  FrameSocket,
  FrameSocketOptions,
} from "../../../src/arp/packet-socket.ts";
import type { ArpPacket } from "../../../src/arp/wire.ts";
import { ARP_FRAME_BYTES, announcements, decodeArp, encodeArp } from "../../../src/arp/wire.ts";
import type { Ip, IpRange } from "../../../src/core/address.ts";
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

export const ETH0: AnsweringInterface = link("eth0", 7, "02:00:00:00:64:0b");
export const ETH1: AnsweringInterface = link("eth1", 8, "02:00:00:00:65:0b");
export const CLIENT = "02:00:00:00:64:02" as Mac;
export const OTHER_NODE = "02:00:00:00:64:0c" as Mac;
export const VIP = "192.168.100.200" as Ip;
export const CLIENT_IP = "192.168.100.2" as Ip;

const SLOTS = 64;
const POISON = 0xa5;

export function link(name: string, index: number, mac: string): AnsweringInterface {
  return { name, index, mac: mac as Mac };
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
  /** How many frames each flush offered to the kernel. */
  readonly flushes: number[] = [];
  ranges: readonly IpRange[];
  isClosed = false;
  /** What the kernel takes of a flush. */
  accepts = SLOTS;
  readonly #slots = Array.from({ length: SLOTS }, () => new Uint8Array(ARP_FRAME_BYTES));
  #reserved = 0;

  constructor(options: FrameSocketOptions) {
    this.options = options;
    this.ranges = options.ranges;
  }

  setRanges(ranges: readonly IpRange[]): void {
    this.ranges = ranges;
  }

  reserve(): Uint8Array | null {
    const slot = this.isClosed ? undefined : this.#slots[this.#reserved];
    if (slot === undefined) return null;
    this.#reserved += 1;
    return slot.fill(POISON);
  }

  flush(): number {
    const count = this.isClosed ? 0 : Math.min(this.#reserved, this.accepts);
    this.flushes.push(this.#reserved);
    this.#reserved = 0;
    for (const slot of this.#slots.slice(0, count)) {
      const packet = decodeArp(slot);
      if (typeof packet === "string") throw new Error(`A frame that is ${packet} was sent`);
      this.sent.push(packet);
    }
    return count;
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

export class Harness {
  readonly loop: ResponderLoop;
  readonly sockets: FakeSocket[] = [];
  readonly posted: FromResponder[] = [];
  now: BootMs = bootMs(50_000);
  /** Reason why sockets cannot be opened, or null. */
  refuse: string | null = null;
  #wakeAt: BootMs = NEVER;

  constructor() {
    this.loop = new ResponderLoop({
      now: () => this.now,
      post: (message) => void this.posted.push(message),
      openSocket: (options) => this.#open(options),
      wakeIn: (milliseconds) => {
        this.#wakeAt = milliseconds === null ? NEVER : after(this.now, milliseconds);
      },
    });
  }

  get isAsleep(): boolean {
    return this.#wakeAt === NEVER;
  }

  /** Interfaces, a grant on them and a tenure of ten minutes. */
  grant(address: Ip = VIP, interfaces: readonly AnsweringInterface[] = [ETH0]): void {
    const names = interfaces.map(({ name }) => name);
    this.loop.receive({ type: "interfaces", interfaces });
    this.loop.receive({ type: "grant", address, interfaces: names });
    this.loop.receive({ type: "tenure", until: after(this.now, 600_000) });
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

  /** The open socket of an interface. */
  socket(index = ETH0.index): FakeSocket {
    const found = this.sockets.findLast(
      (socket) => socket.options.interfaceIndex === index && !socket.isClosed,
    );
    if (found === undefined) throw new Error(`No open socket on interface ${index}`);
    return found;
  }

  report(): ResponderReport {
    this.loop.receive({ type: "report" });
    const message = this.posted.pop();
    if (message?.type !== "report") throw new Error("No report was posted");
    return message.report;
  }

  /** The counter of that name. */
  count(name: string): number {
    return this.report().counters[name] ?? Number.NaN;
  }

  heard(): FromResponder[] {
    return this.posted.filter((message) => message.type === "heard");
  }

  #open(options: FrameSocketOptions): FakeSocket {
    if (this.refuse !== null) throw new AppError("PACKET_SOCKET", this.refuse);
    const socket = new FakeSocket(options);
    this.sockets.push(socket);
    return socket;
  }
}

// The ARP socket of one interface: a packet socket that sees only frames about the given ranges.
// It moves frames and nothing else; it does not look into them, retry, or open itself again after
// its interface went down.

import {
  describeErrno,
  isNativeError,
  openPacketSocket,
  type PacketSocket,
} from "../../native/index.ts";
import type { IpRange } from "../core/address.ts";
import { AppError, errorText } from "../core/errors.ts";
import { arpFilter } from "./filter.ts";

const ETHER_TYPE_ARP = 0x0806;
/** Ethernet header and ARP for IPv4 (RFC 826); the NIC pads the frame to 60 bytes. */
export const ARP_FRAME_BYTES = 42;
// A cache line; a slot holds one frame of ARP_FRAME_BYTES.
const SEND_SLOT_BYTES = 64;

/** What one readable event brought. */
export interface FrameBatch {
  readonly count: number;
  /** One fixed view of 2048 bytes a slot, valid only during the callback. */
  readonly frames: readonly Uint8Array[];
  /** True lengths, which may exceed 2048. */
  readonly lengths: Uint32Array;
}

export interface FrameSocketOptions {
  readonly interfaceIndex: number;
  readonly ranges: readonly IpRange[];
  readonly onFrames: (batch: FrameBatch) => void;
  /** At most once, never from within a call: the interface went down or is gone; it is closed. */
  readonly onError: (error: AppError) => void;
}

export interface FrameSocket {
  /** Replaces the ranges. Frames that queued before are still delivered. */
  setRanges(ranges: readonly IpRange[]): void;
  /** The next free slot of 42 bytes, all to be written; null when the batch is full: flush. */
  reserve(): Uint8Array | null;
  /** Sends the reserved slots; returns how many the kernel accepted. The rest is lost. */
  flush(): number;
  /** May be called again; all calls after it do nothing. */
  close(): void;
}

/** Throws AppError PACKET_SOCKET: no such interface, it is down, or no permission. */
export function openArpSocket(options: FrameSocketOptions): FrameSocket {
  const { interfaceIndex } = options;
  const filter = arpFilter(options.ranges);
  let arpSocket: ArpSocket | undefined;
  const socket = attempt("open an ARP socket", interfaceIndex, () =>
    openPacketSocket({
      interfaceIndex,
      etherType: ETHER_TYPE_ARP,
      filter,
      sendSlotBytes: SEND_SLOT_BYTES,
      onReadable: (count) => arpSocket?.receive(count),
      onError: (code) => arpSocket?.fail("receive ARP", code),
    }),
  );
  socket.sendLengths.fill(ARP_FRAME_BYTES);
  arpSocket = new ArpSocket(options, socket);
  return arpSocket;
}

class ArpSocket implements FrameSocket {
  readonly #options: FrameSocketOptions;
  readonly #socket: PacketSocket;
  readonly #sendFrames: readonly Uint8Array[];
  // One object for all batches: the hot path allocates nothing.
  readonly #batch: { count: number; frames: readonly Uint8Array[]; lengths: Uint32Array };
  #reserved = 0;
  #closed = false;

  constructor(options: FrameSocketOptions, socket: PacketSocket) {
    this.#options = options;
    this.#socket = socket;
    this.#sendFrames = socket.sendFrames.map((slot) => slot.subarray(0, ARP_FRAME_BYTES));
    this.#batch = { count: 0, frames: socket.receiveFrames, lengths: socket.receiveLengths };
  }

  setRanges(ranges: readonly IpRange[]): void {
    if (this.#closed) return;
    const filter = arpFilter(ranges);
    attempt("replace the ARP filter", this.#options.interfaceIndex, () =>
      this.#socket.setFilter(filter),
    );
  }

  reserve(): Uint8Array | null {
    if (this.#closed) return null;
    const slot = this.#sendFrames[this.#reserved];
    if (slot === undefined) return null;
    this.#reserved++;
    return slot;
  }

  flush(): number {
    const count = this.#reserved;
    this.#reserved = 0;
    if (this.#closed || count === 0) return 0;
    try {
      return this.#socket.send(count);
    } catch (thrown) {
      if (!isNativeError(thrown)) throw thrown;
      this.fail("send ARP", thrown.code);
      return 0;
    }
  }

  close(): void {
    this.#closed = true;
    this.#socket.close();
  }

  receive(count: number): void {
    this.#batch.count = count;
    this.#options.onFrames(this.#batch);
  }

  /** Closes at once and reports in a microtask, so that no caller is surprised in mid-batch. */
  fail(action: string, code: string): void {
    if (this.#closed) return;
    this.close();
    const error = socketError(action, this.#options.interfaceIndex, describe(code));
    queueMicrotask(() => this.#options.onError(error));
  }
}

const CAUSES: Readonly<Record<string, string>> = {
  EPERM: "not permitted, it needs the capability CAP_NET_RAW",
  ENODEV: "there is no such interface",
  ENXIO: "the interface is gone",
  ENETDOWN: "the interface is down or gone",
};

function describe(code: string): string {
  return `${CAUSES[code] ?? describeErrno(code)} (${code})`;
}

/** Turns what the system refused into an AppError; wrong arguments stay programmer errors. */
function attempt<T>(action: string, interfaceIndex: number, call: () => T): T {
  try {
    return call();
  } catch (thrown) {
    if (thrown instanceof TypeError || thrown instanceof RangeError) throw thrown;
    const detail = isNativeError(thrown) ? describe(thrown.code) : errorText(thrown);
    throw socketError(action, interfaceIndex, detail, thrown);
  }
}

function socketError(action: string, index: number, detail: string, cause?: unknown): AppError {
  const message = `Cannot ${action} on interface ${index}: ${detail}`;
  return new AppError("PACKET_SOCKET", message, { cause });
}

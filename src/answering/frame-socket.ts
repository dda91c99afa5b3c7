// The socket of one protocol, ARP or Neighbor Discovery, on one interface: a packet socket that
// sees only frames about the given ranges. It moves frames and nothing else; it does not look into
// them, retry, or open itself again after its interface went down.

import {
  describeErrno,
  isNativeError,
  openPacketSocket,
  type PacketSocket,
} from "../../native/index.ts";
import type { IpRange } from "../core/address.ts";
import { AppError, errorText } from "../core/errors.ts";
import type { FrameProtocol } from "./frame-protocol.ts";

/** Two cache lines: any frame that is sent fits. */
const SEND_SLOT_BYTES = 128;

/** What one readable event brought. */
export interface FrameBatch {
  readonly count: number;
  /** One fixed view of 2048 bytes a slot, valid only during the callback. */
  readonly frames: readonly Uint8Array[];
  /** True lengths, which may exceed 2048. */
  readonly lengths: Uint32Array;
}

export interface FrameSocketOptions {
  readonly protocol: FrameProtocol;
  readonly interfaceIndex: number;
  readonly ranges: readonly IpRange[];
  /** The interface takes in every frame, while the socket is open. Default: false. */
  readonly isPromiscuous?: boolean;
  readonly onFrames: (batch: FrameBatch) => void;
  /** At most once, never from within a call: the interface went down or is gone; it is closed. */
  readonly onError: (error: AppError) => void;
}

export interface FrameSocket {
  /** Replaces the ranges. Frames that queued before are still delivered. */
  setRanges(ranges: readonly IpRange[]): void;
  /** The next free slot, for a frame of so many bytes; null when the batch is full: flush. */
  reserve(bytes: number): Uint8Array | null;
  /** Sends the reserved slots; returns how many the kernel accepted. The rest is lost. */
  flush(): number;
  /** May be called again; all calls after it do nothing. */
  close(): void;
}

/** Throws AppError PACKET_SOCKET: no such interface, it is down, or no permission. */
export function openFrameSocket(options: FrameSocketOptions): FrameSocket {
  const { interfaceIndex, protocol, ranges, isPromiscuous = false } = options;
  let opened: PacketFrameSocket | undefined;
  const socket = attempt(`open a socket for ${wordOf(protocol)}`, interfaceIndex, () =>
    openPacketSocket({
      interfaceIndex,
      etherType: protocol.etherType,
      filter: protocol.filter(ranges),
      isPromiscuous,
      sendSlotBytes: SEND_SLOT_BYTES,
      onReadable: (count) => opened?.receive(count),
      onError: (code) => opened?.fail("receive", code),
    }),
  );
  opened = new PacketFrameSocket(options, socket);
  return opened;
}

function wordOf({ name }: FrameProtocol): string {
  return name.toUpperCase();
}

class PacketFrameSocket implements FrameSocket {
  readonly #options: FrameSocketOptions;
  readonly #socket: PacketSocket;
  // One object for all batches: the hot path allocates nothing.
  readonly #batch: { count: number; frames: readonly Uint8Array[]; lengths: Uint32Array };
  #reserved = 0;
  #closed = false;

  constructor(options: FrameSocketOptions, socket: PacketSocket) {
    this.#options = options;
    this.#socket = socket;
    this.#batch = { count: 0, frames: socket.receiveFrames, lengths: socket.receiveLengths };
  }

  setRanges(ranges: readonly IpRange[]): void {
    if (this.#closed) return;
    const { interfaceIndex, protocol } = this.#options;
    const filter = protocol.filter(ranges);
    attempt(`replace the filter for ${wordOf(protocol)}`, interfaceIndex, () =>
      this.#socket.setFilter(filter),
    );
  }

  reserve(bytes: number): Uint8Array | null {
    if (this.#closed) return null;
    const slot = this.#socket.sendFrames[this.#reserved];
    if (slot === undefined) return null;
    this.#socket.sendLengths[this.#reserved] = bytes;
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
      this.fail("send", thrown.code);
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
    const { interfaceIndex, protocol } = this.#options;
    const what = `${action} ${wordOf(protocol)}`;
    const error = socketError(what, interfaceIndex, describe(code));
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

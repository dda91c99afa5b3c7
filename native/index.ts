// The native addon for TypeScript: raw packet sockets, the boot clock, peer credentials, real-time
// priority. The only file that loads the .node, and the place of all argument checks. It knows no
// protocol and takes no decisions.

import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { getSystemErrorMap } from "node:util";

/** A failed system call: `code` is the errno name ("ENODEV"). */
export interface NativeError extends Error {
  readonly code: string;
  readonly syscall: string;
}

/** One classic BPF instruction (struct sock_filter). */
export interface FilterInstruction {
  readonly code: number;
  readonly jt: number;
  readonly jf: number;
  readonly k: number;
}

export interface PacketSocketOptions {
  /** Kernel index of the interface, from 1. */
  readonly interfaceIndex: number;
  /** 1 to 0xffff, for example 0x0806. */
  readonly etherType: number;
  /** 1 to 4096 instructions; in place before the first frame can queue. */
  readonly filter: readonly FilterInstruction[];
  /** `count` frames lie in the receive slots until the callback returns. */
  readonly onReadable: (count: number) => void;
  /** The socket will never receive again (ENETDOWN: the interface is down or gone). */
  readonly onError: (code: string) => void;
  /** The interface takes in every frame, while the socket is open. Default: false. */
  readonly isPromiscuous?: boolean;
  /** 1 to 1024. */
  readonly receiveSlots?: number;
  readonly sendSlots?: number;
  /** 14 to 65536. */
  readonly sendSlotBytes?: number;
  /** At least 1; the kernel doubles it. */
  readonly receiveBufferBytes?: number;
}

export interface PacketSocket {
  /** One view a slot of 2048 bytes, always the same objects. */
  readonly receiveFrames: readonly Uint8Array[];
  /** True lengths, which may exceed 2048: the rest of such a frame is lost. */
  readonly receiveLengths: Uint32Array;
  readonly sendFrames: readonly Uint8Array[];
  /** How many bytes of each slot `send` sends. */
  readonly sendLengths: Uint32Array;
  /** Replaces the filter atomically; frames that queued before stay queued. */
  setFilter(filter: readonly FilterInstruction[]): void;
  /** Sends the first `count` slots; returns how many the kernel accepted. Never waits. */
  send(count: number): number;
  /** May be called again. */
  close(): void;
}

export interface PeerCredentials {
  readonly pid: number;
  readonly uid: number;
  readonly gid: number;
}

/** What the addon exports. For tests; everybody else uses the functions of this file. */
export interface RawBinding {
  open(
    interfaceIndex: number,
    etherType: number,
    receiveBufferBytes: number,
    filter: Uint8Array,
    receiveFrames: Uint8Array,
    receiveLengths: Uint32Array,
    sendFrames: Uint8Array,
    sendLengths: Uint32Array,
    onEvent: (count: number, code: string | undefined) => void,
  ): object;
  setFilter(socket: object, filter: Uint8Array): void;
  setPromiscuous(socket: object, interfaceIndex: number): void;
  send(socket: object, count: number): number;
  close(socket: object): void;
  bootTimeMs(): number;
  peerCredentials(fd: number): PeerCredentials;
  setRealtimePriority(priority: number): string | undefined;
  ignoreNetlinkOverruns(): number;
}

/** Any ARP or NDP frame fits; longer ones are only counted. */
export const RECEIVE_SLOT_BYTES = 2048;
// One system call for a burst, and 128 kB a socket.
const SLOTS_DEFAULT = 64;
const SEND_SLOT_BYTES_DEFAULT = 2048;
// More than a thousand small frames wait here while the thread does something else.
const RECEIVE_BUFFER_BYTES_DEFAULT = 1 << 20;
const INT32_MAX = 0x7fffffff;

let loaded: RawBinding | undefined;

/** The places where the addon is looked for, in order; LBD_NATIVE alone when it is set. */
export function bindingPaths(): readonly string[] {
  const override = process.env.LBD_NATIVE;
  if (override !== undefined && override !== "") return [override];
  // A CommonJS bundle has no import.meta; the addon then lies beside the script.
  const folder = import.meta.dirname ?? dirname(process.argv[1] ?? ".");
  return [join(folder, "build", "Release", "lbd_native.node"), join(folder, "lbd_native.node")];
}

/** Loads the addon, once a thread. Throws with the paths tried. */
export function rawBinding(): RawBinding {
  if (loaded !== undefined) return loaded;
  const paths = bindingPaths();
  const path = paths.find((candidate) => existsSync(candidate));
  if (path === undefined) {
    const tried = paths.map((candidate) => `'${candidate}'`).join(", ");
    throw new Error(`Cannot load the native addon: none at ${tried}; run scripts/build-native.sh`);
  }
  // dlopen and not require: a bundler leaves it alone.
  const module = { exports: {} };
  process.dlopen(module, path);
  loaded = module.exports as RawBinding;
  return loaded;
}

/** CLOCK_BOOTTIME in ms, with fractions: monotonic and counts suspend. */
export function bootTimeMs(): number {
  return (loaded ?? rawBinding()).bootTimeMs();
}

/** Who connected to the unix socket `fd`. Throws NativeError (ENOTCONN, ENOTSOCK, EBADF). */
export function peerCredentials(fd: number): PeerCredentials {
  checkInteger("fd", fd, 0, INT32_MAX);
  return rawBinding().peerCredentials(fd);
}

/**
 * SCHED_FIFO with `priority` 1 to 99 for the calling thread, or normal scheduling with 0. Returns
 * null, or the errno name (EPERM: RLIMIT_RTPRIO does not allow it).
 */
export function setRealtimePriority(priority: number): string | null {
  checkInteger("priority", priority, 0, 99);
  return rawBinding().setRealtimePriority(priority) ?? null;
}

/**
 * Lets no rtnetlink socket of this process fail when notifications do not fit into its buffer: what
 * does not is lost (netlink(7), NETLINK_NO_ENOBUFS). Returns how many such sockets it has. Throws
 * NativeError.
 */
export function ignoreNetlinkOverruns(): number {
  return rawBinding().ignoreNetlinkOverruns();
}

/** Opens, filters and binds. Throws NativeError (EPERM, ENODEV, ENETDOWN when it is down). */
export function openPacketSocket(options: PacketSocketOptions): PacketSocket {
  checkOptions(options);
  const receive = createSlots(options.receiveSlots ?? SLOTS_DEFAULT, RECEIVE_SLOT_BYTES);
  const send = createSlots(
    options.sendSlots ?? SLOTS_DEFAULT,
    options.sendSlotBytes ?? SEND_SLOT_BYTES_DEFAULT,
  );
  const { onReadable, onError } = options;
  const binding = rawBinding();
  const handle = binding.open(
    options.interfaceIndex,
    options.etherType,
    options.receiveBufferBytes ?? RECEIVE_BUFFER_BYTES_DEFAULT,
    packFilter(options.filter),
    receive.bytes,
    receive.lengths,
    send.bytes,
    send.lengths,
    (count, code) => (code === undefined ? onReadable(count) : onError(code)),
  );
  if (options.isPromiscuous === true) {
    try {
      binding.setPromiscuous(handle, options.interfaceIndex);
    } catch (thrown) {
      binding.close(handle);
      throw thrown;
    }
  }
  return {
    receiveFrames: receive.frames,
    receiveLengths: receive.lengths,
    sendFrames: send.frames,
    sendLengths: send.lengths,
    setFilter: (filter) => {
      checkFilter(filter);
      binding.setFilter(handle, packFilter(filter));
    },
    send: (count) => {
      checkInteger("count", count, 0, send.frames.length);
      return binding.send(handle, count);
    },
    close: () => binding.close(handle),
  };
}

/** Whether `thrown` is a failed system call of the addon. */
export function isNativeError(thrown: unknown): thrown is NativeError {
  return thrown instanceof Error && "code" in thrown && "syscall" in thrown;
}

/** The C library's words for an errno name, or the name itself where it has none. */
export function describeErrno(code: string): string {
  for (const [name, text] of getSystemErrorMap().values()) if (name === code) return text;
  return code;
}

interface Slots {
  readonly bytes: Uint8Array;
  readonly lengths: Uint32Array;
  readonly frames: readonly Uint8Array[];
}

function createSlots(count: number, slotBytes: number): Slots {
  const bytes = new Uint8Array(count * slotBytes);
  const frames = Array.from({ length: count }, (_, i) =>
    bytes.subarray(i * slotBytes, (i + 1) * slotBytes),
  );
  return { bytes, lengths: new Uint32Array(count), frames };
}

// struct sock_filter { u16 code; u8 jt; u8 jf; u32 k; } in the byte order of the host.
const FILTER_INSTRUCTION_BYTES = 8;
const FILTER_INSTRUCTIONS_MAX = 4096;

function packFilter(filter: readonly FilterInstruction[]): Uint8Array {
  const bytes = new Uint8Array(filter.length * FILTER_INSTRUCTION_BYTES);
  const halves = new Uint16Array(bytes.buffer);
  const words = new Uint32Array(bytes.buffer);
  for (const [i, instruction] of filter.entries()) {
    halves[i * 4] = instruction.code;
    bytes[i * FILTER_INSTRUCTION_BYTES + 2] = instruction.jt;
    bytes[i * FILTER_INSTRUCTION_BYTES + 3] = instruction.jf;
    words[i * 2 + 1] = instruction.k;
  }
  return bytes;
}

function checkOptions(options: PacketSocketOptions): void {
  if (typeof options !== "object" || options === null) {
    throw new TypeError(`options must be an object, found ${describe(options)}`);
  }
  checkInteger("interfaceIndex", options.interfaceIndex, 1, INT32_MAX);
  checkInteger("etherType", options.etherType, 1, 0xffff);
  checkFilter(options.filter);
  checkFunction("onReadable", options.onReadable);
  checkFunction("onError", options.onError);
  checkOptional("receiveSlots", options.receiveSlots, 1, 1024);
  checkOptional("sendSlots", options.sendSlots, 1, 1024);
  checkOptional("sendSlotBytes", options.sendSlotBytes, 14, 65536);
  checkOptional("receiveBufferBytes", options.receiveBufferBytes, 1, INT32_MAX >> 1);
}

function checkFilter(filter: readonly FilterInstruction[]): void {
  if (!Array.isArray(filter)) {
    throw new TypeError(`filter must be an array, found ${describe(filter)}`);
  }
  checkInteger("filter.length", filter.length, 1, FILTER_INSTRUCTIONS_MAX);
  for (const [i, instruction] of filter.entries()) {
    if (typeof instruction !== "object" || instruction === null) {
      throw new TypeError(`filter[${i}] must be an object, found ${describe(instruction)}`);
    }
    checkInteger(`filter[${i}].code`, instruction.code, 0, 0xffff);
    checkInteger(`filter[${i}].jt`, instruction.jt, 0, 0xff);
    checkInteger(`filter[${i}].jf`, instruction.jf, 0, 0xff);
    checkInteger(`filter[${i}].k`, instruction.k, 0, 0xffffffff);
  }
}

function checkOptional(name: string, value: number | undefined, min: number, max: number): void {
  if (value !== undefined) checkInteger(name, value, min, max);
}

function checkInteger(name: string, value: number, min: number, max: number): void {
  if (typeof value !== "number") {
    throw new TypeError(`${name} must be a number, found ${describe(value)}`);
  }
  if (!Number.isInteger(value) || value < min || value > max) {
    throw new RangeError(`${name} must be an integer from ${min} to ${max}, found ${value}`);
  }
}

function checkFunction(name: string, value: unknown): void {
  if (typeof value !== "function") {
    throw new TypeError(`${name} must be a function, found ${describe(value)}`);
  }
}

function describe(value: unknown): string {
  if (value === null) return "null";
  if (typeof value === "string") return `'${value}'`;
  return Array.isArray(value) ? "an array" : typeof value;
}

// What the responder thread's loop is given: sockets, clock, timer, and the way to the main thread.

import type { FrameSocket, FrameSocketOptions } from "../answering/frame-socket.ts";
import type { BeaconEngine } from "../beacon/engine.ts";
import type { BeaconSegmentAddress, BeaconSocketCounters } from "../beacon/socket.ts";
import type { Ip } from "../core/address.ts";
import type { BootMs } from "../core/time.ts";
import type { LoopDelays } from "./loop-delay.ts";
import type { FromResponder } from "./responder-messages.ts";

/** The socket that beacons go through. */
export interface BeaconPort {
  setSegments(segments: readonly BeaconSegmentAddress[]): void;
  send(
    interfaceName: string,
    to: Ip | null,
    bytes: Uint8Array,
    done: (isSent: boolean) => void,
  ): void;
  counters(): BeaconSocketCounters;
  close(): void;
}

/** The multicast groups in which IPv6 addresses are asked for. */
export interface GroupPort {
  /** Why not all could be joined, or null. */
  readonly problem: string | null;
  join(interfaceName: string, address: Ip): void;
  leave(interfaceName: string, address: Ip): void;
  /** The interface of this name is another one than before, or has come back. */
  rejoin(interfaceName: string): void;
  /** Tries again what could not be joined. */
  retry(): void;
  close(): void;
}

export interface ResponderPorts {
  readonly engine: BeaconEngine;
  readonly beacons: BeaconPort;
  readonly groups: GroupPort;
  readonly openSocket: (options: FrameSocketOptions) => FrameSocket;
  readonly now: () => BootMs;
  /** How long turns of this thread took since they were asked for last. */
  readonly takeLoopDelays: () => LoopDelays;
  readonly post: (message: FromResponder) => void;
  /** Calls `wake` in that many milliseconds; a later call replaces the one before. */
  readonly wakeIn: (milliseconds: number | null) => void;
}

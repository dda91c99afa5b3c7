// What a simulated node is made with.

import type { Ip } from "../../../src/core/address.ts";
import type { Timings } from "../../../src/ownership/timings.ts";
import type { VipSpec } from "../../../src/ownership/types.ts";
import type { VirtualApi } from "./api.ts";
import type { NodeClock } from "./clock.ts";
import type { Code } from "./code.ts";
import type { EventQueue } from "./event-queue.ts";
import type { Prng } from "./prng.ts";
import type { Segment } from "./segment.ts";
import type { Settings } from "./settings.ts";

export interface NodeOptions {
  readonly name: string;
  readonly code: Code;
  readonly settings: Settings;
  readonly timings: Timings;
  readonly api: VirtualApi;
  readonly queue: EventQueue;
  readonly prng: Prng;
  readonly segments: readonly Segment[];
  /** The segments that it has an interface on. */
  readonly on: readonly number[];
  readonly clock: NodeClock;
  readonly vips: () => readonly VipSpec[];
  readonly onAnsweringChanged: () => void;
  /** The node `from` asks the node `to` to take the address over. */
  readonly onOffer: (address: Ip, from: string, to: string) => void;
  readonly onAnnounced: (address: Ip, segment: number, node: string) => void;
  /** It takes the address's owner for mute on the wire. */
  readonly onMute: (address: Ip) => void;
  /** It goes on after it stood still, and a frame is looked at before anything else. */
  readonly onWoken: () => void;
  /** Whether the segments have gateways. */
  readonly hasGateway: boolean;
  readonly note: (text: string) => void;
}

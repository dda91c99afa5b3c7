// One interface as the responder thread has it: for ARP and for Neighbor Discovery each a socket,
// when there is one, and who looks at its frames.

import type { FrameProtocol } from "../answering/frame-protocol.ts";
import type { FrameReader } from "../answering/frame-reader.ts";
import type { FrameSocket } from "../answering/frame-socket.ts";
import type { Grants } from "../answering/grants.ts";
import type { Ip } from "../core/address.ts";
import type { BootMs } from "../core/time.ts";
import { FrameSender } from "./frame-sender.ts";
import type { AnsweringInterface } from "./responder-messages.ts";

export interface OpenInterface {
  readonly about: AnsweringInterface;
  /** Hosts whose answers for their own addresses are wanted. */
  watchedHosts: readonly Ip[];
  readonly channels: readonly Channel[];
}

export interface Channel {
  readonly use: ProtocolUse;
  readonly reader: FrameReader;
  socket: FrameSocket | null;
  reopenAt: BootMs;
  problem: string | null;
}

/** A protocol on all interfaces. */
export class ProtocolUse {
  readonly protocol: FrameProtocol;
  readonly sender = new FrameSender();
  /** Frames by outcome. */
  readonly counters: Record<string, number> = {};
  announced = 0;

  constructor(protocol: FrameProtocol) {
    this.protocol = protocol;
    for (const outcome of protocol.outcomes) this.counters[outcome] = 0;
  }

  /** By name: `arp-answered`, `ndp-sent` and so on. */
  allCounters(): Record<string, number> {
    const all = { ...this.counters, ...this.sender.counters, announced: this.announced };
    const { name } = this.protocol;
    return Object.fromEntries(Object.entries(all).map(([key, count]) => [`${name}-${key}`, count]));
  }
}

/** `watchedHosts`: those of the interface of this name that it takes the place of. */
export function newInterface(
  about: AnsweringInterface,
  parts: { readonly uses: readonly ProtocolUse[]; readonly grants: Grants },
  since: { readonly reopenAt: BootMs; readonly watchedHosts: readonly Ip[] },
): OpenInterface {
  const { reopenAt, watchedHosts } = since;
  const channels = parts.uses.map((use): Channel => {
    const reader = use.protocol.reader(parts.grants, about);
    return { use, reader, socket: null, reopenAt, problem: null };
  });
  return { about, watchedHosts, channels };
}

// One interface as the responder thread has it: its socket, when there is one, and who looks at its
// frames.

import type { FrameSocket } from "../arp/packet-socket.ts";
import type { InterfaceResponder } from "../arp/responder.ts";
import type { Ip } from "../core/address.ts";
import type { BootMs } from "../core/time.ts";
import type { AnsweringInterface } from "./responder-messages.ts";

export interface OpenInterface {
  readonly about: AnsweringInterface;
  readonly responder: InterfaceResponder;
  socket: FrameSocket | null;
  /** Hosts whose answers for their own addresses are wanted. */
  watchedHosts: readonly Ip[];
  reopenAt: BootMs;
  problem: string | null;
}

/** `watchedHosts`: those of the interface of this name that it takes the place of. */
export function newInterface(
  about: AnsweringInterface,
  responder: InterfaceResponder,
  since: { readonly reopenAt: BootMs; readonly watchedHosts: readonly Ip[] },
): OpenInterface {
  return { about, responder, socket: null, ...since, problem: null };
}

// The program that test/netns/beacon-socket.test.ts runs inside a node: one beacon socket that does
// what it is told and tells what it hears. No checks here.

import {
  BEACON_PORT,
  type BeaconSegmentAddress,
  BeaconSocket,
  type BeaconSocketCounters,
} from "../../../src/beacon/socket.ts";
import type { Ip } from "../../../src/core/address.ts";

export type BeaconCommand =
  | { readonly kind: "open" }
  | { readonly kind: "close" }
  | { readonly kind: "counters" }
  | { readonly kind: "segments"; readonly segments: readonly BeaconSegmentAddress[] }
  | {
      readonly kind: "send";
      readonly interface: string;
      readonly to: Ip | null;
      readonly text: string;
      /** How long the thread does nothing else once send() has returned. */
      readonly blockMs: number;
    };

export type BeaconWord =
  | { readonly kind: "ready" }
  | { readonly kind: "obeyed" }
  | { readonly kind: "sent"; readonly ok: boolean; readonly wasLater: boolean }
  | { readonly kind: "counters"; readonly counters: BeaconSocketCounters }
  | { readonly kind: "problem"; readonly interface: string; readonly message: string | null }
  | {
      readonly kind: "heard";
      readonly interface: string;
      readonly from: string;
      readonly text: string;
    };

const socket = new BeaconSocket({
  port: BEACON_PORT,
  onDatagram: ({ bytes, ...datagram }) =>
    tell({ kind: "heard", ...datagram, text: new TextDecoder().decode(bytes) }),
  onProblem: (name, message) => tell({ kind: "problem", interface: name, message }),
});

function tell(word: BeaconWord): void {
  process.send?.(word);
}

function send(command: BeaconCommand & { kind: "send" }): void {
  let hasReturned = false;
  const bytes = new TextEncoder().encode(command.text);
  socket.send(command.interface, command.to, bytes, (ok) =>
    tell({ kind: "sent", ok, wasLater: hasReturned }),
  );
  hasReturned = true;
  const end = performance.now() + command.blockMs;
  while (performance.now() < end);
}

function obey(command: Exclude<BeaconCommand, { kind: "send" }>): void {
  if (command.kind === "counters") return tell({ kind: "counters", counters: socket.counters() });
  if (command.kind === "open") socket.open();
  else if (command.kind === "close") socket.close();
  else socket.setSegments(command.segments);
  tell({ kind: "obeyed" });
}

process.on("disconnect", () => process.exit());
process.on("message", (command: BeaconCommand) => {
  if (command.kind === "send") send(command);
  else obey(command);
});
tell({ kind: "ready" });

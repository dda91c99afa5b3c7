// Runs on the client: notes when each address was first announced by another host than the one
// that had it, and asks for all of them at the end.

import { bootTimeMs, openPacketSocket } from "../../native/index.ts";
import { arpFilter } from "../../src/arp/filter.ts";
import { decodeArp, ETHERTYPE_ARP } from "../../src/arp/wire.ts";
import { type Ip, ipToBigInt } from "../../src/core/address.ts";
import { serve } from "../lab/lab-program.ts";

export type ListenerQuestion =
  /** From now on: announcements of other hosts than that. */
  { readonly kind: "begin"; readonly owner: string } | { readonly kind: "end" };

/** When each address was announced first, on the boot clock in ms. */
export type ListenerAnswer = Readonly<Record<string, number>> | null;

const [index = "0"] = process.argv.slice(2);
let owner: string | null = null;
let announced: Record<string, number> = {};

const everything = { family: 4, start: 0n, end: ipToBigInt("255.255.255.255" as Ip) } as const;
const socket = openPacketSocket({
  interfaceIndex: Number(index),
  etherType: ETHERTYPE_ARP,
  filter: arpFilter([everything]),
  onReadable: (count) => {
    const at = bootTimeMs();
    for (let i = 0; i < count; i++) hear(socket.receiveFrames[i], socket.receiveLengths[i], at);
  },
  onError: (code) => {
    throw new Error(`The interface that listens failed: ${code}`);
  },
});

function hear(frame: Uint8Array | undefined, length = 0, at = 0): void {
  const packet = frame === undefined || owner === null ? "nothing" : decodeArp(frame, length);
  if (typeof packet === "string" || packet.senderIp !== packet.targetIp) return;
  if (packet.senderMac !== owner) announced[packet.senderIp] ??= at;
}

serve(async (question: ListenerQuestion): Promise<ListenerAnswer> => {
  if (question.kind === "end") return announced;
  owner = question.owner;
  announced = {};
  return null;
});

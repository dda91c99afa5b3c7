// Runs on the client: notes who announces which addresses, and since when, but for the host that
// had them all.

import { bootTimeMs, openPacketSocket } from "../../native/index.ts";
import { arpFilter } from "../../src/arp/filter.ts";
import { decodeArp, ETHERTYPE_ARP } from "../../src/arp/wire.ts";
import { type Ip, ipToBigInt } from "../../src/core/address.ts";
import { serve } from "./lab-program.ts";

export type AnnouncementsQuestion =
  /** From now on: announcements of other hosts than that MAC. */
  | { readonly kind: "begin"; readonly owner: string }
  /** All since then; it goes on. */
  | { readonly kind: "report" };

export interface Announced {
  /** Boot clock, ms: the first time. */
  readonly at: number;
  /** Who did, in the order of their first. */
  readonly macs: string[];
}

/** By address. */
export type Announcements = Readonly<Record<string, Announced>>;

const [index = "0"] = process.argv.slice(2);
let owner: string | null = null;
let announced: Record<string, Announced> = {};

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
  if (packet.senderMac === owner) return;
  announced[packet.senderIp] ??= { at, macs: [] };
  const macs = announced[packet.senderIp]?.macs ?? [];
  if (!macs.includes(packet.senderMac)) macs.push(packet.senderMac);
}

serve(async (question: AnnouncementsQuestion): Promise<Announcements> => {
  if (question.kind === "begin") {
    owner = question.owner;
    announced = {};
  }
  return announced;
});

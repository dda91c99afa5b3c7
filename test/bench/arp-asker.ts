// Runs on the client: asks for an address by ARP every millisecond, as a neighbour would that waits
// for it, until somebody answers. Announcements do not count: they answer nobody.

import { bootTimeMs, openPacketSocket } from "../../native/index.ts";
import { arpFilter } from "../../src/arp/filter.ts";
import { ARP_FRAME_BYTES, decodeArp, ETHERTYPE_ARP, encodeArp } from "../../src/arp/wire.ts";
import { type Ip, ipToBigInt } from "../../src/core/address.ts";
import { MAC_BROADCAST, MAC_ZERO, type Mac } from "../../src/core/mac.ts";
import { serve } from "./child.ts";

export interface Ask {
  readonly address: string;
  readonly timeoutMs: number;
}

/** Boot clock at the answer, or null: nobody answered in time. */
export type Answered = number | null;

const EVERY_MS = 1;

const [index = "0", ownMac = "", ownIp = ""] = process.argv.slice(2);
let asked: { readonly address: Ip; readonly resolve: (at: Answered) => void } | null = null;

const everything = { family: 4, start: 0n, end: ipToBigInt("255.255.255.255" as Ip) } as const;
const socket = openPacketSocket({
  interfaceIndex: Number(index),
  etherType: ETHERTYPE_ARP,
  filter: arpFilter([everything]),
  onReadable: (count) => {
    const now = bootTimeMs();
    for (let i = 0; i < count; i++) receive(socket.receiveFrames[i], socket.receiveLengths[i], now);
  },
  onError: (code) => {
    throw new Error(`The asker's interface failed: ${code}`);
  },
});
socket.sendLengths.fill(ARP_FRAME_BYTES);

function receive(frame: Uint8Array | undefined, length = 0, now = 0): void {
  if (frame === undefined || asked === null) return;
  const packet = decodeArp(frame, length);
  if (typeof packet === "string" || packet.operation !== "reply") return;
  if (packet.senderIp === asked.address && packet.destination === ownMac) asked.resolve(now);
}

function sendRequest(address: Ip): void {
  const [slot] = socket.sendFrames;
  if (slot === undefined) return;
  const packet = {
    destination: MAC_BROADCAST,
    source: ownMac as Mac,
    operation: "request",
    senderMac: ownMac as Mac,
    senderIp: ownIp as Ip,
    targetMac: MAC_ZERO,
    targetIp: address,
  } as const;
  encodeArp(packet, slot);
  socket.send(1);
}

serve(async ({ address, timeoutMs }: Ask): Promise<Answered> => {
  const target = address as Ip;
  const timer = setInterval(() => sendRequest(target), EVERY_MS);
  const answered = await new Promise<Answered>((resolve) => {
    const timeout = setTimeout(() => resolve(null), timeoutMs);
    asked = {
      address: target,
      resolve: (at) => {
        clearTimeout(timeout);
        resolve(at);
      },
    };
  });
  clearInterval(timer);
  asked = null;
  return answered;
});

// A packet socket for all ARP of a segment, for programs that run on a host of the lab.

import { bootTimeMs, openPacketSocket, type PacketSocket } from "../../native/index.ts";
import { arpFilter } from "../../src/arp/filter.ts";
import { type ArpPacket, decodeArp, ETHERTYPE_ARP } from "../../src/arp/wire.ts";
import { type Ip, ipToBigInt } from "../../src/core/address.ts";

const EVERYTHING = { family: 4, start: 0n, end: ipToBigInt("255.255.255.255" as Ip) } as const;

/** `onPacket` has each ARP packet that arrives on the interface, with the boot clock in ms. */
export function openArpSocket(
  interfaceIndex: number,
  onPacket: (packet: ArpPacket, at: number) => void,
): PacketSocket {
  const receive = (frame: Uint8Array | undefined, length = 0, at = 0): void => {
    if (frame === undefined) return;
    const packet = decodeArp(frame, length);
    if (typeof packet !== "string") onPacket(packet, at);
  };
  const socket = openPacketSocket({
    interfaceIndex,
    etherType: ETHERTYPE_ARP,
    filter: arpFilter([EVERYTHING]),
    onReadable: (count) => {
      const at = bootTimeMs();
      for (let i = 0; i < count; i++) {
        receive(socket.receiveFrames[i], socket.receiveLengths[i], at);
      }
    },
    onError: (code) => {
      throw new Error(`The interface that hears ARP failed: ${code}`);
    },
  });
  return socket;
}

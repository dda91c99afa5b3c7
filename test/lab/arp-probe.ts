// Asks for addresses by ARP, by broadcast, as one with a cold cache, and hears who answers it.
// Announcements do not count: they answer nobody. Programs on the client of the lab are started
// with who asks as their arguments.

import { bootTimeMs, openPacketSocket } from "../../native/index.ts";
import { arpFilter } from "../../src/arp/filter.ts";
import { ARP_FRAME_BYTES, decodeArp, ETHERTYPE_ARP, encodeArp } from "../../src/arp/wire.ts";
import { type Ip, ipToBigInt } from "../../src/core/address.ts";
import { MAC_BROADCAST, MAC_ZERO, type Mac } from "../../src/core/mac.ts";
import type { LabHost } from "./host.ts";

export interface ArpReply {
  readonly address: string;
  readonly mac: string;
  /** Boot clock, ms. */
  readonly at: number;
  /** The same of the request, where the reply says so: those by ARP do not. */
  readonly sentAt?: number;
}

export interface ArpProbe {
  /** Sends a request; never waits. `sentAt`: boot clock, for who answers with it. */
  request(address: string, sentAt?: number): void;
}

/** Arguments of a program on `host` that asks on the data segment, for `openArpProbe`. */
export async function arpProbeArguments(host: LabHost): Promise<string[]> {
  const index = await host.run(["cat", "/sys/class/net/eth0/ifindex"]);
  return [index.trim(), host.mac(), host.address()];
}

/** In the program; `onReply` hears what answers its own requests. */
export function openArpProbe(
  argv: readonly string[],
  onReply: (reply: ArpReply) => void,
): ArpProbe {
  const [index = "0", ownMac = "", ownIp = ""] = argv;
  const receive = (frame: Uint8Array | undefined, length = 0, at = 0): void => {
    if (frame === undefined) return;
    const packet = decodeArp(frame, length);
    if (typeof packet === "string" || packet.operation !== "reply") return;
    if (packet.destination !== ownMac) return;
    onReply({ address: packet.senderIp, mac: packet.senderMac, at });
  };
  const everything = { family: 4, start: 0n, end: ipToBigInt("255.255.255.255" as Ip) } as const;
  const socket = openPacketSocket({
    interfaceIndex: Number(index),
    etherType: ETHERTYPE_ARP,
    filter: arpFilter([everything]),
    onReadable: (count) => {
      const at = bootTimeMs();
      for (let i = 0; i < count; i++) {
        receive(socket.receiveFrames[i], socket.receiveLengths[i], at);
      }
    },
    onError: (code) => {
      throw new Error(`The interface that asks by ARP failed: ${code}`);
    },
  });
  socket.sendLengths.fill(ARP_FRAME_BYTES);
  const request = (address: string): void => {
    const [slot] = socket.sendFrames;
    if (slot === undefined) return;
    const packet = {
      destination: MAC_BROADCAST,
      source: ownMac as Mac,
      operation: "request",
      senderMac: ownMac as Mac,
      senderIp: ownIp as Ip,
      targetMac: MAC_ZERO,
      targetIp: address as Ip,
    } as const;
    encodeArp(packet, slot);
    socket.send(1);
  };
  return { request };
}

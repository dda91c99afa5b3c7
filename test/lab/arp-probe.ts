// Asks for addresses by ARP, by broadcast, as one with a cold cache, and hears who answers it.
// Announcements do not count: they answer nobody. Programs on the client of the lab are started
// with who asks as their arguments.

import { ARP_FRAME_BYTES, encodeArp } from "../../src/arp/wire.ts";
import type { Ip } from "../../src/core/address.ts";
import { MAC_BROADCAST, MAC_ZERO, type Mac } from "../../src/core/mac.ts";
import { openArpSocket } from "./arp-socket.ts";
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
  const socket = openArpSocket(Number(index), (packet, at) => {
    if (packet.operation !== "reply" || packet.destination !== ownMac) return;
    onReply({ address: packet.senderIp, mac: packet.senderMac, at });
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

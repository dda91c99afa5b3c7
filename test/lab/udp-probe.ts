// Sends datagrams through addresses, as a client with a warm cache, and hears which node forwarded
// each: the server behind says so. Programs on the client are started with arguments for it.

import { createSocket } from "node:dgram";
import { bootTimeMs } from "../../native/index.ts";
import type { ArpProbe, ArpReply } from "./arp-probe.ts";
import type { Lab } from "./lab.ts";

/** Arguments of a program on the client of the lab, for `openUdpProbe`. */
export function udpProbeArguments(lab: Lab, port: number): string[] {
  return [String(port), ...lab.nodes.flatMap((node) => [node.address(), node.mac()])];
}

/** In the program; as if the node that forwards had answered by ARP. */
export function openUdpProbe(
  argv: readonly string[],
  onReply: (reply: ArpReply) => void,
): ArpProbe {
  const [port = "0", ...pairs] = argv;
  const macs = new Map<string, string>();
  for (let i = 0; i + 1 < pairs.length; i += 2) macs.set(pairs[i] ?? "", pairs[i + 1] ?? "");
  const socket = createSocket({
    type: "udp4",
    // Addresses only: a look-up would take its time.
    lookup: (address, _, callback) => callback(null, address, 4),
  });
  socket.on("message", (message, { address }) => {
    const [via = "", sentAt] = message.toString().split(" ");
    const mac = macs.get(via);
    if (mac !== undefined) onReply({ address, mac, at: bootTimeMs(), sentAt: Number(sentAt) });
  });
  // While nothing is known of the address, or its cable is pulled: as if it had been lost.
  const request = (address: string, sentAt = 0): void =>
    socket.send(String(sentAt), Number(port), address, () => {});
  socket.on("error", () => {});
  return { request };
}

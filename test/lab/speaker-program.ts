// Runs on a node and answers ARP for addresses with the node's MAC, as a speaker of MetalLB does.

import { ARP_FRAME_BYTES, encodeArp } from "../../src/arp/wire.ts";
import type { Mac } from "../../src/core/mac.ts";
import { openArpSocket } from "./arp-socket.ts";
import { serve } from "./lab-program.ts";

/** What it answers for from now on. */
export interface SpeakerQuestion {
  readonly addresses: readonly string[];
}

const [index = "0", mac = ""] = process.argv.slice(2);
let addresses: ReadonlySet<string> = new Set();

const socket = openArpSocket(Number(index), (request) => {
  const [slot] = socket.sendFrames;
  if (request.operation !== "request" || !addresses.has(request.targetIp)) return;
  // Who announces an address asks for it, too, and wants no answer.
  if (request.senderIp === request.targetIp || slot === undefined) return;
  const reply = {
    destination: request.senderMac,
    source: mac as Mac,
    operation: "reply",
    senderMac: mac as Mac,
    senderIp: request.targetIp,
    targetMac: request.senderMac,
    targetIp: request.senderIp,
  } as const;
  encodeArp(reply, slot);
  socket.send(1);
});
socket.sendLengths.fill(ARP_FRAME_BYTES);

serve(async (question: SpeakerQuestion) => {
  addresses = new Set(question.addresses);
  return addresses.size;
});

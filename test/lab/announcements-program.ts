// Runs on the client: notes who announces which addresses, and since when, but for the host that
// had them all.

import { openArpSocket } from "./arp-socket.ts";
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

openArpSocket(Number(index), ({ senderIp, senderMac, targetIp }, at) => {
  if (owner === null || senderIp !== targetIp || senderMac === owner) return;
  announced[senderIp] ??= { at, macs: [] };
  const macs = announced[senderIp]?.macs ?? [];
  if (!macs.includes(senderMac)) macs.push(senderMac);
});

serve(async (question: AnnouncementsQuestion): Promise<Announcements> => {
  if (question.kind === "begin") {
    owner = question.owner;
    announced = {};
  }
  return announced;
});

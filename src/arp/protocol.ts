// ARP for the loop of the responder thread.

import type { FrameProtocol } from "../answering/frame-protocol.ts";
import { arpFilter } from "./filter.ts";
import { ARP_OUTCOMES, ArpReader } from "./responder.ts";
import { ARP_FRAME_BYTES, announcements, ETHERTYPE_ARP, encodeArp, probe } from "./wire.ts";

export const ARP: FrameProtocol = {
  name: "arp",
  family: 4,
  etherType: ETHERTYPE_ARP,
  outcomes: ARP_OUTCOMES,
  filter: arpFilter,
  reader: (grants, about) => new ArpReader(grants, about),
  probeBytes: ARP_FRAME_BYTES,
  writeProbe: (ip, mac, to, out) => encodeArp(probe(ip, mac, to), out),
  announcementBytes: ARP_FRAME_BYTES,
  announcementCount: 2,
  writeAnnouncement: (index, { ip, mac }, out) => {
    const [request, reply] = announcements(ip, mac);
    encodeArp(index === 0 ? request : reply, out);
  },
};

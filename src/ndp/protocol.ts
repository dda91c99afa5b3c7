// Neighbor Discovery for the loop of the responder thread.

import type { FrameProtocol } from "../answering/frame-protocol.ts";
import { ndpFilter } from "./filter.ts";
import { NDP_OUTCOMES, NdpReader } from "./responder.ts";
import {
  announcement,
  BARE_FRAME_BYTES,
  ETHERTYPE_IPV6,
  encodeNdp,
  NDP_FRAME_BYTES,
  probe,
} from "./wire.ts";

export const NDP: FrameProtocol = {
  name: "ndp",
  family: 6,
  etherType: ETHERTYPE_IPV6,
  outcomes: NDP_OUTCOMES,
  filter: ndpFilter,
  reader: (grants, about) => new NdpReader(grants, about),
  probeBytes: BARE_FRAME_BYTES,
  writeProbe: (ip, mac, to, out) => void encodeNdp(probe(ip, mac, to), out),
  announcementBytes: NDP_FRAME_BYTES,
  announcementCount: 1,
  writeAnnouncement: (_, { ip, mac }, out) => void encodeNdp(announcement(ip, mac), out),
};

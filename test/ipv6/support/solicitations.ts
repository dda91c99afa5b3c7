// Frames of Neighbor Discovery as hosts of the lab would send them, in hexadecimal for sendRaw().

import type { Ip } from "../../../src/core/address.ts";
import type { Mac } from "../../../src/core/mac.ts";
import type { NdpPacket } from "../../../src/ndp/wire.ts";
import type { LabHost } from "../../lab/host.ts";
import { announcementBy, solicitation } from "../../support/ndp-frames.ts";

/** Who has fd00:100::c8? Asked by the host, with changes. */
export function solicitationFrom(host: LabHost, changes: Partial<NdpPacket> = {}): Uint8Array {
  const mac = host.mac() as Mac;
  return solicitation({ source: mac, linkLayer: mac, sourceIp: host.address6() as Ip, ...changes });
}

export function announcementFrom(host: LabHost): Uint8Array {
  return announcementBy(host.mac() as Mac);
}

export function hex(frame: Uint8Array): string {
  return Buffer.from(frame).toString("hex");
}

// ARP or Neighbor Discovery, as the loop of the responder thread sees it: what is different between
// the two, and nothing else.

import type { Ip, IpFamily, IpRange } from "../core/address.ts";
import type { BpfInstruction } from "../core/bpf.ts";
import type { Mac } from "../core/mac.ts";
import type { FrameReader } from "./frame-reader.ts";
import type { Grants } from "./grants.ts";

export interface FrameProtocol {
  readonly name: "arp" | "ndp";
  readonly family: IpFamily;
  readonly etherType: number;
  /** What `FrameReader.look` may say. */
  readonly outcomes: readonly string[];
  /** What the kernel lets through for addresses in the ranges of this family. */
  filter(ranges: readonly IpRange[]): readonly BpfInstruction[];
  reader(grants: Grants, about: { readonly name: string; readonly mac: Mac }): FrameReader;
  /** Bytes of a probe: it asks who uses an address without saying who asks. */
  readonly probeBytes: number;
  /** `to` null: everybody. */
  writeProbe(ip: Ip, mac: Mac, to: Mac | null, out: Uint8Array): void;
  /** Bytes of each of the frames that announce an address together. */
  readonly announcementBytes: number;
  readonly announcementCount: number;
  writeAnnouncement(index: number, about: { ip: Ip; mac: Mac }, out: Uint8Array): void;
}

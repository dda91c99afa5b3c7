// The log of frames and decisions as the API shows it: in the order of time, on the wall clock,
// each frame in words where it is one of ARP or Neighbor Discovery.

import type { DecisionView, FramesView, FrameView } from "../api/frames-view.ts";
import { type ArpPacket, decodeArp } from "../arp/wire.ts";
import type { Ip } from "../core/address.ts";
import { read16 } from "../core/bytes.ts";
import { toHex } from "../core/hex.ts";
import { MAC_ZERO } from "../core/mac.ts";
import type { Clock } from "../core/time.ts";
import { decodeNdp, ETHERTYPE_IPV6, type NdpPacket, OFFSET } from "../ndp/wire.ts";
import { LOGGED_BYTES, type PackedFrames, type PackedLog } from "./frame-log.ts";

/** The boot clock is told as the wall clock is now: a step of it is not seen in the past. */
export function framesView(log: PackedLog, clock: Clock): FramesView {
  const offset = clock.wall() - clock.boot();
  const timed = (at: number): string => new Date(at + offset).toISOString();
  const frames = log.rings
    .flatMap((ring) => unpacked(ring, log.names))
    .toSorted((a, b) => a.at - b.at);
  const decisions = log.decisions
    .map((text, slot) => ({ at: log.decidedAt[slot] ?? 0, text }))
    .toSorted((a, b) => a.at - b.at);
  return {
    frames: frames.map((frame): FrameView => ({ ...frame, at: timed(frame.at) })),
    decisions: decisions.map(({ at, text }): DecisionView => ({ at: timed(at), text })),
  };
}

function unpacked(
  ring: PackedFrames,
  names: readonly string[],
): (Omit<FrameView, "at"> & { readonly at: number })[] {
  return Array.from(ring.outcomes, (outcome, slot) => {
    const length = ring.lengths[slot] ?? 0;
    const start = slot * LOGGED_BYTES;
    const kept = Math.min(length, LOGGED_BYTES);
    const bytes = ring.bytes.subarray(start, start + kept);
    return {
      at: ring.at[slot] ?? 0,
      interface: names[ring.interfaces[slot] ?? 0] ?? "",
      outcome: names[outcome] ?? "",
      length,
      text: frameText(bytes, length),
      bytes: toHex(bytes),
    };
  });
}

/** In words, or why there are none. */
function frameText(bytes: Uint8Array, length: number): string {
  if (bytes.length >= OFFSET.version && read16(bytes, OFFSET.etherType) === ETHERTYPE_IPV6) {
    const packet = decodeNdp(bytes, length);
    return typeof packet === "string" ? packet : ndpText(packet);
  }
  const packet = decodeArp(bytes, length);
  return typeof packet === "string" ? packet : arpText(packet);
}

function ndpText(packet: NdpPacket): string {
  const { operation, target, sourceIp, destinationIp, linkLayer, source } = packet;
  const mac = linkLayer ?? source;
  if (operation === "solicitation") {
    const asker = sourceIp === UNSPECIFIED ? "who is about to use it" : sourceIp;
    return `who has ${target}? asks ${asker} at ${mac}`;
  }
  const flags = [
    packet.isRouter ? "router" : [],
    packet.isSolicited ? "solicited" : [],
    packet.isOverride ? "override" : [],
  ].flat();
  const said = flags.length === 0 ? "" : ` (${flags.join(", ")})`;
  return `${target} is at ${mac}, says it to ${destinationIp}${said}`;
}

const UNSPECIFIED = "::" as Ip;

function arpText({ operation, senderMac, senderIp, targetMac, targetIp }: ArpPacket): string {
  if (senderIp === targetIp) return `${senderIp} is at ${senderMac}, says it to all (${operation})`;
  if (operation === "reply") return `${senderIp} is at ${senderMac}, says it to ${targetIp}`;
  const asked = targetMac === MAC_ZERO ? "" : ` (${targetMac})`;
  return `who has ${targetIp}${asked}? asks ${senderIp} at ${senderMac}`;
}

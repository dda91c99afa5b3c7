// The log of frames and decisions as the API shows it: in the order of time, on the wall clock,
// each frame in words where it is ARP.

import type { DecisionView, FramesView, FrameView } from "../api/frames-view.ts";
import { ARP_FRAME_BYTES, type ArpPacket, decodeArp } from "../arp/wire.ts";
import { toHex } from "../core/hex.ts";
import { MAC_ZERO } from "../core/mac.ts";
import type { Clock } from "../core/time.ts";
import type { PackedFrames, PackedLog } from "./frame-log.ts";

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
    const start = slot * ARP_FRAME_BYTES;
    const kept = Math.min(length, ARP_FRAME_BYTES);
    const bytes = ring.bytes.subarray(start, start + kept);
    const packet = decodeArp(bytes, length);
    return {
      at: ring.at[slot] ?? 0,
      interface: names[ring.interfaces[slot] ?? 0] ?? "",
      outcome: names[outcome] ?? "",
      length,
      text: typeof packet === "string" ? packet : arpText(packet),
      bytes: toHex(bytes),
    };
  });
}

function arpText({ operation, senderMac, senderIp, targetMac, targetIp }: ArpPacket): string {
  if (senderIp === targetIp) return `${senderIp} is at ${senderMac}, says it to all (${operation})`;
  if (operation === "reply") return `${senderIp} is at ${senderMac}, says it to ${targetIp}`;
  const asked = targetMac === MAC_ZERO ? "" : ` (${targetMac})`;
  return `who has ${targetIp}${asked}? asks ${senderIp} at ${senderMac}`;
}

// The kernel's filter for ARP: a classic BPF program made from the pools' ranges, so that frames
// nobody here cares about never wake the process. It may let more through than asked (any
// operation, coarsened ranges); the codec and the responder check every frame again.

import type { IpRange } from "../core/address.ts";
import type { BpfInstruction } from "../core/bpf.ts";
import { ACCEPT, DROP, DROP_FOR_OTHERS, dropUnless, ifAtLeast, load } from "../core/bpf.ts";
import { invariant } from "../core/invariant.ts";

/**
 * Ranges beyond this are coarsened. Two reasons: a jump reaches 255 instructions and the search of
 * one address has two a range; and the kernel charges old and new program together against
 * net.core.optmem_max, 20480 bytes by default before Linux 6.9, when a filter is replaced.
 */
export const FILTER_RANGES_MAX = 64;

// Offsets in an Ethernet frame. A load beyond its end drops the frame (RFC 826 has the fields).
const ETHER_TYPE = 12;
const HARDWARE_AND_PROTOCOL = 14;
const LENGTHS = 18;
const SENDER_PROTOCOL_ADDRESS = 28;
const TARGET_PROTOCOL_ADDRESS = 38;

/** An inclusive range of IPv4 addresses as numbers. */
interface NumberRange {
  readonly start: number;
  readonly end: number;
}

/**
 * A program that accepts ARP for Ethernet and IPv4 whose target or sender address lies in `ranges`
 * (senders, because conflicts and other hosts' announcements must be seen), unless the kernel takes
 * it to be for another host. IPv6 ranges are passed over; without ranges every frame is dropped.
 */
export function arpFilter(ranges: readonly IpRange[]): readonly BpfInstruction[] {
  const merged = coarsen(mergeRanges(ranges), FILTER_RANGES_MAX);
  if (merged.length === 0) return [DROP];
  const boundaries = merged.flatMap(({ start, end }) => (end === MAX ? [start] : [start, end + 1]));
  return [
    ...DROP_FOR_OTHERS,
    load(2, ETHER_TYPE),
    ...dropUnless(0x0806),
    load(4, HARDWARE_AND_PROTOCOL),
    ...dropUnless(0x00010800),
    load(2, LENGTHS),
    ...dropUnless(0x0604),
    ...acceptIfInside(TARGET_PROTOCOL_ADDRESS, boundaries),
    ...acceptIfInside(SENDER_PROTOCOL_ADDRESS, boundaries),
    DROP,
  ];
}

/** The IPv4 ranges in ascending order, with those that overlap or touch made one. */
export function mergeRanges(ranges: readonly IpRange[]): readonly NumberRange[] {
  const sorted = ranges.filter((range) => range.family === 4).map(toNumbers);
  sorted.sort((a, b) => a.start - b.start);
  const merged: { start: number; end: number }[] = [];
  for (const range of sorted) {
    const last = merged.at(-1);
    if (last !== undefined && range.start <= last.end + 1) last.end = Math.max(last.end, range.end);
    else merged.push({ ...range });
  }
  return merged;
}

/** At most `max` ranges that contain all of `ranges` (merged): the smallest gaps are given up. */
export function coarsen(ranges: readonly NumberRange[], max: number): readonly NumberRange[] {
  invariant(max >= 1, "a filter needs room for a range");
  if (ranges.length <= max) return ranges;
  const gaps = ranges.slice(1).map((range, i) => ({
    index: i + 1,
    size: range.start - (ranges[i]?.end ?? 0),
  }));
  gaps.sort((a, b) => b.size - a.size || a.index - b.index);
  const kept = gaps.slice(0, max - 1).map((gap) => gap.index);
  const firsts = [0, ...kept.sort((a, b) => a - b)];
  return firsts.map((first, i) => {
    const last = (firsts[i + 1] ?? ranges.length) - 1;
    return { start: ranges[first]?.start ?? 0, end: ranges[last]?.end ?? MAX };
  });
}

const MAX = 0xffffffff;

function toNumbers(range: IpRange): NumberRange {
  const valid = range.start >= 0n && range.start <= range.end && range.end <= BigInt(MAX);
  invariant(valid, "an IPv4 range has its bounds in order and within 32 bits");
  return { start: Number(range.start), end: Number(range.end) };
}

/**
 * Loads the address at `offset` and accepts the frame when it lies in a range; else goes on behind
 * the block. `boundaries` are the starts and the ends + 1 of the ranges in ascending order: inside
 * is where an odd number of them is not above the address.
 */
function acceptIfInside(offset: number, boundaries: readonly number[]): readonly BpfInstruction[] {
  const search: BpfInstruction[] = [];
  const accept = boundaries.length;
  emitSearch({ boundaries, search, accept }, 0, boundaries.length);
  invariant(search.length === accept && accept < 255, "the search fits the reach of a jump");
  return [load(4, offset), ...search, ACCEPT];
}

interface SearchBlock {
  readonly boundaries: readonly number[];
  readonly search: BpfInstruction[];
  /** Position of the accepting instruction, behind the search; one further is outside. */
  readonly accept: number;
}

/**
 * Emits a binary search for how many of boundaries[low..high) are not above the address, given that
 * all before `low` are not and all from `high` are. Returns the position it starts at.
 */
function emitSearch(block: SearchBlock, low: number, high: number): number {
  if (low === high) return low % 2 === 1 ? block.accept : block.accept + 1;
  const position = block.search.length;
  const middle = (low + high) >>> 1;
  block.search.push(DROP); // keeps the place until the targets are known
  const below = emitSearch(block, low, middle);
  const above = emitSearch(block, middle + 1, high);
  const boundary = block.boundaries[middle] ?? 0;
  block.search[position] = ifAtLeast(boundary, above - position - 1, below - position - 1);
  return position;
}

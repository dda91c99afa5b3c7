// The kernel's filter for Neighbor Discovery: a classic BPF program made from the pools' ranges, so
// that frames nobody here cares about never wake the process. It may let more through than asked
// (ranges are widened to prefixes); the codec and the responder check every frame again.

import type { IpRange } from "../core/address.ts";
import { addressBits } from "../core/address.ts";
import type { BpfInstruction } from "../core/bpf.ts";
import {
  ACCEPT,
  and,
  DROP,
  DROP_FOR_OTHERS,
  dropUnless,
  ifEqual,
  keep,
  load,
  loadKept,
} from "../core/bpf.ts";
import { NEXT_HEADER_ICMPV6 } from "./checksum.ts";
import { ETHERTYPE_IPV6, OFFSET, TYPE } from "./wire.ts";

/**
 * Prefixes beyond this are widened. When a filter is replaced, the kernel charges the old program
 * and the new one, as it translated them, together against net.core.optmem_max: 20480 bytes by
 * default before Linux 6.9. A prefix takes at most 30 of its instructions of 8 bytes.
 */
export const FILTER_PREFIXES_MAX = 32;

const BITS = addressBits(6);
const WORDS = 4;
const WORD_MASK = 0xffff_ffffn;

/** All addresses whose first `length` bits are those of `value`; the other bits are zero. */
interface Prefix {
  readonly value: bigint;
  readonly length: number;
}

/**
 * A program that accepts Neighbor Solicitations and Advertisements whose target or IPv6 source lies
 * in a prefix that covers one of `ranges` (sources, because whoever sends from an address uses it),
 * unless the kernel takes them to be for another host. IPv4 ranges are passed over; without ranges
 * every frame is dropped.
 */
export function ndpFilter(ranges: readonly IpRange[]): readonly BpfInstruction[] {
  const wanted = ranges.filter((range) => range.family === 6).map(coveringPrefix);
  const prefixes = widen(withoutCovered(wanted), FILTER_PREFIXES_MAX);
  if (prefixes.length === 0) return [DROP];
  return [
    ...DROP_FOR_OTHERS,
    load(2, OFFSET.etherType),
    ...dropUnless(ETHERTYPE_IPV6),
    load(1, OFFSET.nextHeader),
    ...dropUnless(NEXT_HEADER_ICMPV6),
    load(1, OFFSET.type),
    ifEqual(TYPE.solicitation, 2, 0),
    ...dropUnless(TYPE.advertisement),
    ...acceptIfInAny(prefixes, OFFSET.target),
    ...acceptIfInAny(prefixes, OFFSET.sourceIp),
    DROP,
  ];
}

/** The longest prefix that holds the whole range. */
function coveringPrefix({ start, end }: IpRange): Prefix {
  return commonPrefix({ value: start, length: BITS }, { value: end, length: BITS });
}

/** The longest that holds both. */
function commonPrefix(a: Prefix, b: Prefix): Prefix {
  const differing = (a.value ^ b.value).toString(2);
  const same = differing === "0" ? BITS : BITS - differing.length;
  const length = Math.min(same, a.length, b.length);
  const rest = BigInt(BITS - length);
  return { value: (a.value >> rest) << rest, length };
}

/** In ascending order, without those that lie in another one. */
function withoutCovered(prefixes: readonly Prefix[]): Prefix[] {
  const sorted = prefixes.toSorted((a, b) => compare(a.value, b.value) || a.length - b.length);
  const kept: Prefix[] = [];
  for (const prefix of sorted) {
    const last = kept.at(-1);
    if (last === undefined || commonPrefix(last, prefix).length < last.length) kept.push(prefix);
  }
  return kept;
}

function compare(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** At most `max` that hold all of them: where neighbours have least in common they stay apart. */
function widen(prefixes: readonly Prefix[], max: number): readonly Prefix[] {
  if (prefixes.length <= max) return prefixes;
  const gaps = prefixes.slice(1).map((prefix, i) => {
    const { length } = commonPrefix(prefixes[i] ?? prefix, prefix);
    return { index: i + 1, common: length };
  });
  gaps.sort((a, b) => a.common - b.common || a.index - b.index);
  const kept = gaps.slice(0, max - 1).map(({ index }) => index);
  const firsts = [0, ...kept.sort((a, b) => a - b), prefixes.length];
  const groups = firsts.slice(0, -1).flatMap((first, i) => {
    const [low, high] = [prefixes[first], prefixes[(firsts[i + 1] ?? 0) - 1]];
    return low === undefined || high === undefined ? [] : [commonPrefix(low, high)];
  });
  return withoutCovered(groups);
}

/** Accepts the frame when the address at `offset` is in one of them; else goes on behind. */
function acceptIfInAny(prefixes: readonly Prefix[], offset: number): readonly BpfInstruction[] {
  const words = Array.from({ length: WORDS }, (_, word) => word);
  const kept = words.flatMap((word) => [load(4, offset + 4 * word), keep(word)]);
  return [...kept, ...prefixes.flatMap(acceptIfIn)];
}

/** Accepts the frame when the address that was kept has the prefix; else goes on behind. */
function acceptIfIn({ value, length }: Prefix): readonly BpfInstruction[] {
  const words = Math.ceil(length / 32);
  const count = 2 * words + (length % 32 === 0 ? 0 : 1);
  const compared: BpfInstruction[] = [];
  for (let word = 0; word < words; word++) {
    const bits = Math.min(32, length - word * 32);
    const wanted = Number((value >> BigInt(32 * (WORDS - 1 - word))) & WORD_MASK);
    compared.push(loadKept(word));
    if (bits < 32) compared.push(and((0xffff_ffff << (32 - bits)) >>> 0));
    compared.push(ifEqual(wanted, 0, count - compared.length));
  }
  return [...compared, ACCEPT];
}

// No address may be in two ranges, of one pool or of two: it could be given away twice.

import type { IpRange } from "../core/address.ts";
import { formatRange } from "../core/address.ts";
import type { Problem } from "../core/problem.ts";

interface NamedRange {
  readonly pool: string;
  readonly range: IpRange;
}

/** A problem for each range that begins inside an earlier one; sorts, so n log n in all. */
export function overlapProblems(
  pools: readonly { readonly name: string; readonly ranges: readonly IpRange[] }[],
): Problem[] {
  const named = pools.flatMap((pool) => pool.ranges.map((range) => ({ pool: pool.name, range })));
  named.sort(byFamilyThenStart);
  const problems: Problem[] = [];
  let widest: NamedRange | null = null;
  for (const current of named) {
    if (widest === null || widest.range.family !== current.range.family) widest = current;
    else if (current.range.start > widest.range.end) widest = current;
    else {
      problems.push(overlapProblem(widest, current));
      if (current.range.end > widest.range.end) widest = current;
    }
  }
  return problems;
}

function byFamilyThenStart(a: NamedRange, b: NamedRange): number {
  if (a.range.family !== b.range.family) return a.range.family - b.range.family;
  return a.range.start < b.range.start ? -1 : a.range.start > b.range.start ? 1 : 0;
}

function overlapProblem(first: NamedRange, second: NamedRange): Problem {
  const other = first.pool === second.pool ? "another range of this pool" : `pool "${first.pool}"`;
  return {
    where: `IPAddressPool "${second.pool}" spec.addresses`,
    found: `${formatRange(second.range)}, which overlaps ${formatRange(first.range)} of ${other}`,
    expected: "every address in one range only",
  };
}

// No address may be in two ranges, of one pool or of two: it could be given away twice.

import type { IpRange } from "../core/address.ts";
import { formatRange } from "../core/address.ts";
import type { Pool } from "./pool.ts";
import type { ConfigProblem, Sourced } from "./resource.ts";
import { problemOf } from "./resource.ts";

type Ranges = Sourced<Pick<Pool, "name" | "ranges">>;

interface NamedRange {
  readonly pool: Ranges;
  readonly range: IpRange;
}

/** A problem for each range that begins inside an earlier one; sorts, so n log n in all. */
export function overlapProblems(pools: readonly Ranges[]): ConfigProblem[] {
  const named = pools.flatMap((pool) => pool.value.ranges.map((range) => ({ pool, range })));
  named.sort(byFamilyThenStart);
  const problems: ConfigProblem[] = [];
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

function overlapProblem(first: NamedRange, second: NamedRange): ConfigProblem {
  const isSame = first.pool === second.pool;
  const other = isSame ? "another range of this pool" : `pool "${first.pool.value.name}"`;
  const ranges = `${formatRange(second.range)}, which overlaps ${formatRange(first.range)}`;
  const found = `${ranges} of ${other}`;
  const expected = "every address in one range only";
  return problemOf(second.pool.origin, "addresses", { found, expected });
}

// The one assertion of the repository's rules, with a message that is a list to work through.

import { AssertionError } from "node:assert/strict";

/** Fails with a line a problem, unless there is none. */
export function assertNone(problems: readonly string[]): void {
  if (problems.length === 0) return;
  throw new AssertionError({
    message: [`${problems.length} found:`, ...problems].join("\n  "),
    stackStartFn: assertNone,
  });
}

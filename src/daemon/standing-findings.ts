// Since when each thing that is wrong has been so: a complaint keeps its time as long as it is
// there, whatever becomes of its cause.

import type { Finding, StandingFinding } from "../api/types.ts";
import type { WallMs } from "../core/time.ts";

export class StandingFindings {
  #since = new Map<string, WallMs>();

  /** Of what is wrong now. */
  dated(findings: readonly Finding[], now: WallMs): StandingFinding[] {
    const before = this.#since;
    this.#since = new Map();
    return findings.map((finding) => {
      const key = keyOf(finding);
      const since = before.get(key) ?? now;
      this.#since.set(key, since);
      return { ...finding, since: new Date(since).toISOString() };
    });
  }
}

/** How many more there are of a kind changes nothing of since when there are some. */
function keyOf({ what, cause }: Finding): string {
  return /^And \d+ more/.test(what) ? `more: ${cause}` : what;
}

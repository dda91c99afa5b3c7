// Since when each thing that is wrong has been so: a complaint keeps its time as long as it is
// there, whatever becomes of its cause.

import type { Finding, StandingFinding } from "../api/types.ts";
import type { WallMs } from "../core/time.ts";

export class StandingFindings {
  #since = new Map<string, WallMs>();

  /** Of what is wrong now. */
  dated(findings: readonly Finding[], now: WallMs): StandingFinding[] {
    const since = new Map(findings.map(({ what }) => [what, this.#since.get(what) ?? now]));
    this.#since = since;
    return findings.map((finding) => ({
      ...finding,
      since: new Date(since.get(finding.what) ?? now).toISOString(),
    }));
  }
}

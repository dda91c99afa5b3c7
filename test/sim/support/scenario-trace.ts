// What happened, for people: facts with their time, rounded so that some more work for a message
// changes nothing, and told once when several nodes find the same.

const ROUND_MS = 10;
const TIME_WIDTH = 6;
const QUIET = "(nothing happens)";

interface Fact {
  readonly atMs: number;
  readonly who: string;
  readonly what: string;
}

export class Trace {
  #facts: Fact[] = [];

  note(atMs: number, who: string, what: string): void {
    this.#facts.push({ atMs, who, what });
  }

  /** The lines of what was noted since the last call; times count from `sinceMs`. */
  take(sinceMs: number): string[] {
    const lines = new Map<string, { at: string; what: string; who: string[] }>();
    for (const { atMs, who, what } of this.#facts) {
      const at = String(Math.round((atMs - sinceMs) / ROUND_MS) * ROUND_MS);
      const key = `${at} ${what}`;
      const known = lines.get(key);
      if (known === undefined) lines.set(key, { at, what, who: [who] });
      else known.who.push(who);
    }
    this.#facts = [];
    if (lines.size === 0) return [`${"".padStart(TIME_WIDTH)} ${QUIET}`];
    return [...lines.values()].map(({ at, what, who }) => {
      return `${at.padStart(TIME_WIDTH)} ${who.sort().join(", ")}: ${what}`;
    });
  }
}

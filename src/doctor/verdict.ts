// What a check says: nothing wrong, what it found, or why it could not look.

import type { Known } from "./facts.ts";

export interface DoctorFinding {
  /** `error`: something does not work. `warning`: it may not, or will not much longer. */
  readonly severity: "error" | "warning";
  readonly what: string;
  /** Cause and evidence. */
  readonly cause: string;
  /** A command, where there is one. */
  readonly fix: string;
}

export type Verdict =
  | { readonly state: "ok"; readonly note: string }
  | { readonly state: "skipped"; readonly note: string }
  | { readonly state: "found"; readonly findings: readonly DoctorFinding[] };

export function ok(note: string): Verdict {
  return { state: "ok", note };
}

export function skipped(note: string): Verdict {
  return { state: "skipped", note };
}

/** Nothing found: ok, with the note. */
export function foundOr(findings: readonly DoctorFinding[], note: string): Verdict {
  return findings.length === 0 ? ok(note) : { state: "found", findings };
}

/** The verdict of `look`, or why there is none. */
export function ifKnown<T>(fact: Known<T>, look: (value: T) => Verdict): Verdict {
  return fact.known ? look(fact.value) : skipped(fact.why);
}

export function error(what: string, cause: string, fix: string): DoctorFinding {
  return { severity: "error", what, cause, fix };
}

export function warning(what: string, cause: string, fix: string): DoctorFinding {
  return { severity: "warning", what, cause, fix };
}

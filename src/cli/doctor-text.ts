// The doctor's findings for people: what is wrong first, each with its cause and the fix; then what
// is well, shortly, and what could not be looked at.

import type { DoctorReport } from "../doctor/doctor.ts";
import { wrapped } from "./wrap.ts";

/** `wide`: what is well has its reason, too. */
export function doctorText(
  { item }: { readonly item: DoctorReport },
  { wide }: { readonly wide: boolean },
): string {
  const { findings, checks } = item;
  const lines = [`found     ${findings.length === 0 ? "nothing" : findings.length}`];
  for (const { severity, check, what, cause, fix } of findings) {
    lines.push(...wrapped(`${severity}: ${what}`, "  "));
    lines.push(...wrapped(`cause: ${cause} [${check}]`, "    "));
    lines.push(...wrapped(`fix:   ${fix}`, "    "));
  }
  const well = checks.filter(({ state }) => state === "ok");
  if (wide) {
    for (const { check, note } of well) lines.push(...wrapped(`ok: ${check}: ${note}`, "  "));
  } else if (well.length > 0) {
    lines.push(...wrapped(`ok        ${well.map(({ check }) => check).join(", ")}`, ""));
  }
  const skipped = checks.filter(({ state }) => state === "skipped");
  // What is missing for one check is often missing for many.
  for (const [note, all] of Map.groupBy(skipped, (check) => check.note)) {
    const names = all.map(({ check }) => check).join(", ");
    lines.push(...wrapped(`not checked: ${names}: ${note.split("\n").join(" ")}`, "  "));
  }
  return `${lines.join("\n")}\n`;
}

// The plan of a migration for people: the traps first, then what there is, and the way.

import type { Allocations, ImportView } from "./commands/import.ts";
import { wrapped } from "./wrap.ts";

export function importText({ item }: { readonly item: ImportView }): string {
  const { found, settings, traps, done, takeover, rollBack } = item;
  const lines = [`traps     ${traps.length === 0 ? "none" : traps.length}`];
  for (const { what, why, next } of traps) {
    lines.push(...wrapped(what, "  "), ...wrapped(`cause: ${why}`, "    "));
    lines.push(...wrapped(`next:  ${next}`, "    "));
  }
  for (const line of done) lines.push(...wrapped(`applied   ${line}`, ""));
  lines.push(...wrapped(`addresses ${allocationsText(item.allocations)}`, ""));
  if (settings.length === 0) lines.push("settings  the defaults of lbd are right");
  else lines.push("settings  in /etc/lbd/config.yaml of every node:");
  const there = found.flatMap(({ what, text }) => wrapped(`${what}: ${text}`, "  "));
  const blocks = [
    [...lines, ...settings.map((line) => `  ${line}`)].join("\n"),
    ["What is there:", ...there].join("\n"),
    ["The way over:", ...takeover].join("\n"),
    ...(rollBack.length === 0 ? [] : [["The way back:", ...rollBack].join("\n")]),
  ];
  return `${blocks.join("\n\n")}\n`;
}

function allocationsText(allocations: Allocations | null): string {
  if (allocations === null) return "not known: the daemon of this host cannot be asked";
  const { keeping, others } = allocations;
  if (others.length === 0) return `all ${keeping} are kept as they are`;
  const names = others.slice(0, 3).map(({ service }) => service);
  return `${keeping} are kept; not kept: ${others.length} (${names.join(", ")}): lbctl plan shadow`;
}

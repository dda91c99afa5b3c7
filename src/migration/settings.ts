// Flags and files of MetalLB as settings of lbd's node file. Pure.

import { flagValue } from "../core/command-flag.ts";
import type { Inventory } from "./inventory.ts";

const NAMESPACE_DEFAULT = "metallb-system";
const EXCLUDED_KEY = "announcedInterfacesToExclude";

/** Lines for the node file; none: the defaults are right. */
export function settingsOf(inventory: Inventory): string[] {
  const { namespace } = inventory;
  const loadBalancerClass = flag(inventory, "lb-class");
  const ignoresLabel = flag(inventory, "ignore-exclude-lb");
  const excluded = excludedInterfaces(inventory);
  return [
    ...(namespace === NAMESPACE_DEFAULT ? [] : [`namespace: ${namespace}`]),
    ...(loadBalancerClass === null || loadBalancerClass === ""
      ? []
      : [`loadBalancerClass: ${JSON.stringify(loadBalancerClass)}`]),
    ...(ignoresLabel === null || ignoresLabel === "false" ? [] : ["ignoreExcludeLabel: true"]),
    ...(excluded === null ? [] : [`excludeInterfaces: ${JSON.stringify(excluded)}`]),
  ];
}

/** The value of a flag of any container, "" where it has none; null: it is not given. */
export function flag({ workloads }: Inventory, name: string): string | null {
  for (const { arguments: given } of workloads) {
    const value = flagValue(given, name);
    if (value !== null) return value;
  }
  return null;
}

/** Null: there is no such file, or it says what lbd does by itself. */
function excludedInterfaces({ configMaps }: Inventory): string[] | null {
  const file = configMaps["metallb-excludel2"]?.["excludel2.yaml"] ?? "";
  const from = file.indexOf(EXCLUDED_KEY);
  if (from < 0) return null;
  // A list of texts, one a line, or all of them in brackets.
  const list = file.slice(from + EXCLUDED_KEY.length).replace(/^\s*:/, "");
  const entries = list.includes("[")
    ? list.slice(list.indexOf("[") + 1, list.indexOf("]")).split(",")
    : list.split("\n").flatMap((line) => /^\s*-\s*(.+)$/.exec(line)?.[1] ?? []);
  return entries.map((entry) => entry.trim().replace(/^(["'])(.*)\1$/, "$2")).filter(Boolean);
}

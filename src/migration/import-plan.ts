// From what a cluster has of MetalLB to a plan: what is used, which settings lbd needs for it, the
// traps that are there, and how the nodes are taken over. Pure.

import type { Inventory } from "./inventory.ts";
import { settingsOf } from "./settings.ts";
import { rollBack, takeover } from "./takeover.ts";
import type { Trap } from "./traps.ts";
import { trapsOf } from "./traps.ts";

export interface ImportPlan {
  /** What is used, by what it is: `pools`, `advertisements`, .... */
  readonly found: readonly { readonly what: string; readonly text: string }[];
  /** Lines for the node file, /etc/lbd/config.yaml, of every node. */
  readonly settings: readonly string[];
  readonly traps: readonly Trap[];
  readonly takeover: readonly string[];
  readonly rollBack: readonly string[];
  readonly unread: readonly string[];
}

export function importPlan(inventory: Inventory): ImportPlan {
  return {
    found: foundIn(inventory),
    settings: settingsOf(inventory),
    traps: trapsOf(inventory),
    takeover: takeover(inventory),
    rollBack: rollBack(inventory),
    unread: inventory.unread,
  };
}

/** More names are counted. */
const NAMES_MAX = 5;

function foundIn(inventory: Inventory): ImportPlan["found"] {
  const { workloads, services, resources, excludedNodes } = inventory;
  const rows: { what: string; text: string }[] = [];
  for (const { kind, name, images, available } of workloads) {
    const short = images.map((image) => image.slice(image.lastIndexOf("/") + 1));
    rows.push({ what: kind, text: `"${name}", ${available} available, ${short.join(", ")}` });
  }
  for (const [kind, names] of Object.entries(resources)) {
    if (names.length > 0) rows.push({ what: kind, text: listed(names) });
  }
  const holding = services.filter(({ addresses }) => addresses.length > 0);
  rows.push({
    what: "Service",
    text: `${services.length}, of which ${holding.length} have addresses`,
  });
  const classes = new Set(services.map((service) => service.loadBalancerClass ?? "none"));
  if (services.length > 0) rows.push({ what: "class", text: listed([...classes].sort()) });
  const annotations = new Set(services.flatMap((service) => service.annotations));
  if (annotations.size > 0)
    rows.push({ what: "annotation", text: listed([...annotations].sort()) });
  if (excludedNodes.length > 0) rows.push({ what: "excluded", text: listed(excludedNodes) });
  return rows;
}

function listed(names: readonly string[]): string {
  const more = names.length - NAMES_MAX;
  const shown = names.slice(0, NAMES_MAX).join(", ");
  return more > 0 ? `${shown} and ${more} more` : shown;
}

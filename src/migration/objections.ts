// Why nodes must not be taken over yet: something would be lost. Pure.

import type { ImportPlan } from "./import-plan.ts";

/** Services that lbd would not leave as they are, by name; null: its daemon cannot be asked. */
export type Unkept = readonly string[] | null;

/** Each with what to do; none: go ahead. */
export function objections(plan: ImportPlan, unkept: Unkept): string[] {
  const losing = plan.traps.filter(({ isLosing }) => isLosing === true);
  return [
    ...losing.map(({ what, next }) => `${what}; next: ${next}`),
    ...plan.unread.map((message) => `it cannot be told what would be lost: ${message}`),
    ...unkeptText(unkept),
  ];
}

function unkeptText(unkept: Unkept): string[] {
  if (unkept === null) {
    const next = "run it on a node, where a daemon of lbd knows the Services";
    return [`whether Services keep their addresses cannot be told: ${next}`];
  }
  const [first] = unkept;
  if (first === undefined) return [];
  const others = unkept.length === 1 ? "" : ` and ${unkept.length - 1} more`;
  return [`Service ${first}${others} would not keep its addresses; next: lbctl plan shadow`];
}

// What the running implementation does, against what lbd would do: whom lbd would choose as the
// owner of an address, by the same ranking, and who answers for it on the wire. Pure.

import type { Mac } from "../core/mac.ts";
import type { Eligibility } from "../ownership/eligibility.ts";
import { eligibility } from "../ownership/eligibility.ts";
import { preferenceOf } from "../ownership/preference.ts";
import type { Ranking } from "../ownership/ranking.ts";
import type { Segment, VipSpec } from "../ownership/types.ts";

/** The first that could; `node` null: nobody, for the reason. */
export interface Choice {
  readonly node: string | null;
  readonly reason: string;
}

export interface Chooser {
  /** Of every Node. */
  readonly nodes: readonly string[];
  /** This node, whose segments are known; of the others nothing is, which excludes nobody. */
  readonly here: { readonly node: string; readonly segments: readonly Segment[] };
  readonly ranking: Ranking;
}

export function chooseOwner(spec: VipSpec, { nodes, here, ranking }: Chooser): Choice {
  const verdicts = new Map(
    nodes.map((node) => {
      const segments = node === here.node ? here.segments : null;
      return [node, eligibility(spec, node, segments)] as const;
    }),
  );
  const able = nodes.filter((node) => verdicts.get(node)?.eligible === true);
  const healthy = able.filter((node) => isHealthy(verdicts.get(node)));
  const candidates = healthy.length > 0 ? healthy : able;
  const preference = (node: string): number => preferenceOf(spec.placement.nodes.get(node));
  const ranked = ranking
    .order(candidates, spec.rankBy)
    .sort((a, b) => preference(b) - preference(a));
  return { node: ranked[0] ?? null, reason: ranked.length > 0 ? "" : whyNobody(verdicts) };
}

function isHealthy(verdict: Eligibility | undefined): boolean {
  return verdict?.eligible === true && verdict.unhealthy === null;
}

function whyNobody(verdicts: ReadonlyMap<string, Eligibility>): string {
  const reasons = [...verdicts.values()].flatMap((one) => (one.eligible ? [] : [one.reason]));
  return [...new Set(reasons)].join("; ") || "the API knows no Node";
}

/** Who answered when somebody asked the segment; this host does not hear itself. */
export interface Answer {
  readonly macs: readonly Mac[];
}

/** Null: it is as lbd would have it, or it cannot be told. `names`: the nodes by their MAC. */
export function ownerDifference(
  choice: Choice,
  answer: Answer | null,
  { here, names }: { readonly here: string; readonly names: ReadonlyMap<Mac, string> },
): string | null {
  if (answer === null) return null;
  const answering = answer.macs.map((mac) => nameOf(mac, names));
  if (answering.length > 1) return `${answering.join(" and ")} answer, and one should`;
  const [only] = answering;
  if (choice.node === null) {
    return only === undefined ? null : `${only} answers; lbd would not: ${choice.reason}`;
  }
  if (only !== undefined) {
    return only === choice.node ? null : `${only} answers; lbd would choose ${choice.node}`;
  }
  if (choice.node === here) return null;
  return `nobody else answers (this host may); lbd would choose ${choice.node}`;
}

export function nameOf(mac: Mac, names: ReadonlyMap<Mac, string>): string {
  return names.get(mac) ?? `a host with MAC ${mac}`;
}

// How a packet fares in a ruleset: chains of rules, each of which matches, does not, or may match
// as far as can be told from here. nftables and iptables are read into these words by files of
// their own.

export type Match = "yes" | "no" | "maybe";

export type RuleAction =
  | { readonly type: "accept" }
  | { readonly type: "drop" }
  | { readonly type: "return" }
  | { readonly type: "jump"; readonly chain: string }
  | { readonly type: "goto"; readonly chain: string }
  /** It counts, logs, marks: the next rule follows. */
  | { readonly type: "none" };

export interface Rule {
  readonly match: Match;
  readonly action: RuleAction;
  readonly text: string;
}

export interface Chain {
  readonly name: string;
  readonly rules: readonly Rule[];
  /** Of a base chain; null: packets come here from other chains only. */
  readonly policy: "accept" | "drop" | null;
}

export interface Fate {
  readonly verdict: "accept" | "drop";
  /** `maybe`: a rule before might have accepted it. */
  readonly certainty: "yes" | "maybe";
  /** The rule or the policy that decides. */
  readonly by: string;
  /** The name of the base chain. */
  readonly base: string;
}

/** The kernel refuses a ruleset that jumps in a circle; this is for texts that are not its. */
const DEPTH_MAX = 32;

export function fateIn(base: Chain, chains: ReadonlyMap<string, Chain>): Fate {
  const walk = new Walk(base.name, chains);
  const decided = walk.through(base, 0);
  if (decided !== null && decided !== "return") return walk.fate(decided.verdict, decided.by);
  const policy = base.policy ?? "accept";
  return walk.fate(policy, `the policy of chain ${base.name} is "${policy}"`);
}

type Decided = { readonly verdict: "accept" | "drop"; readonly by: string } | "return" | null;

class Walk {
  readonly #base: string;
  readonly #chains: ReadonlyMap<string, Chain>;
  #mayBeAccepted = false;

  constructor(base: string, chains: ReadonlyMap<string, Chain>) {
    this.#base = base;
    this.#chains = chains;
  }

  fate(verdict: "accept" | "drop", by: string): Fate {
    const isDoubtful = verdict === "drop" && this.#mayBeAccepted;
    return { verdict, certainty: isDoubtful ? "maybe" : "yes", by, base: this.#base };
  }

  /** Null: the end of the chain was reached. */
  through(chain: Chain, depth: number): Decided {
    if (depth > DEPTH_MAX) return null;
    for (const rule of chain.rules) {
      if (rule.match === "no") continue;
      const decided = this.#apply(rule, chain, depth);
      if (decided === null) continue;
      if (rule.match === "yes") return decided;
      // A rule that may return lets the packet past what follows, so it may be accepted later.
      if (decided === "return" || decided.verdict === "accept") this.#mayBeAccepted = true;
    }
    return null;
  }

  #apply({ action, text }: Rule, chain: Chain, depth: number): Decided {
    switch (action.type) {
      case "accept":
      case "drop":
        return { verdict: action.type, by: `the rule "${text}" in chain ${chain.name}` };
      case "return":
        return "return";
      case "none":
        return null;
      case "jump":
      case "goto": {
        const target = this.#chains.get(action.chain);
        if (target === undefined) return null;
        const decided = this.through(target, depth + 1);
        // After a jump the next rule follows; after a goto the chain is left.
        if (decided !== null && decided !== "return") return decided;
        return action.type === "goto" ? "return" : null;
      }
    }
  }
}

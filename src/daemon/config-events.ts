// What is wrong with the configuration, told by Event on the objects that are to be changed: each
// thing once, until it is mended. One daemon of the cluster tells it, the leader.

import type { ConfigProblem } from "../config/cluster-config.ts";
import { formatProblem } from "../core/problem.ts";
import type { EventInput } from "../k8s-sync/events.ts";
import type { ConfigObjects } from "./config-objects.ts";
import { regardingOf } from "./config-objects.ts";

/** A bad ConfigMap of many pools is one object, a bad selector may be in many. */
const OBJECTS_MAX = 50;

export class ConfigEvents {
  readonly #record: (event: EventInput) => void;
  /** Problems of each object, when they were told. */
  #told = new Map<string, string>();

  constructor(record: (event: EventInput) => void) {
    this.#record = record;
  }

  /**
   * Level-triggered: may be called at any time. `summary`: what the leader before has written of
   * problems into its ConfigurationState, which it told, too; null: nothing is known of that.
   */
  check(
    config: { readonly problems: readonly ConfigProblem[]; readonly objects: ConfigObjects },
    summary: string | null = null,
  ): void {
    const told = new Map<string, string>();
    const known = new Set(summary?.split("\n"));
    const byObject = Map.groupBy(config.problems, ({ object: { kind, namespace, name } }) =>
      JSON.stringify([kind, namespace, name]),
    );
    for (const [key, problems] of [...byObject].slice(0, OBJECTS_MAX)) {
      const lines = problems.map(formatProblem);
      const text = lines.join("; ");
      told.set(key, text);
      const isNews = this.#told.get(key) !== text && !lines.every((line) => known.has(line));
      if (isNews) this.#tell(problems, text, config.objects);
    }
    this.#told = told;
  }

  forget(): void {
    this.#told = new Map();
  }

  #tell(problems: readonly ConfigProblem[], text: string, objects: ConfigObjects): void {
    const [first] = problems;
    if (first === undefined) return;
    this.#record({
      regarding: regardingOf(objects, first.object),
      type: "Warning",
      reason: "ConfigurationError",
      action: "Configure",
      note: `The configuration is not valid, the last valid one stays in use: ${text}`,
    });
  }
}

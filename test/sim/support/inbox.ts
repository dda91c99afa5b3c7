// What waits for a process that does not run: a freeze delays everything, and on waking all of it
// is there at once. Each source (a socket, a timer) keeps its order; between them there is none.

import type { Prng } from "./prng.ts";

interface Waiting {
  readonly source: string;
  readonly run: () => void;
}

export class Inbox {
  #waiting: Waiting[] = [];

  push(source: string, run: () => void): void {
    this.#waiting.push({ source, run });
  }

  clear(): void {
    this.#waiting = [];
  }

  /** Empties the inbox; half of the time in another order than that of arrival. */
  deliver(prng: Prng): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const { run } of prng.chance(0.5) ? waiting : interleaved(waiting, prng)) run();
  }
}

function interleaved(waiting: readonly Waiting[], prng: Prng): Waiting[] {
  const sources = new Map<string, Waiting[]>();
  for (const one of waiting) {
    const line = sources.get(one.source);
    if (line === undefined) sources.set(one.source, [one]);
    else line.push(one);
  }
  const lines = [...sources.values()];
  const mixed: Waiting[] = [];
  while (mixed.length < waiting.length) {
    const line = prng.pick(lines);
    const next = line.shift();
    if (next !== undefined) mixed.push(next);
    if (line.length === 0) lines.splice(lines.indexOf(line), 1);
  }
  return mixed;
}

// Which addresses nobody answered for, and which two hosts: from rounds in which each address is
// asked for once. Pure. What is shorter than a round may be missed, and lengths are whole rounds.

export interface Episode {
  readonly kind: "none" | "two";
  readonly address: string;
  /** Boot clock, ms: the first round of it, and the first one after it. */
  readonly from: number;
  readonly to: number;
}

export interface FirstAnswer {
  readonly address: string;
  /** Boot clock, ms: when it was watched first. */
  readonly since: number;
  /** From then on. */
  readonly ms: number;
}

export interface AnswersReport {
  readonly episodes: readonly Episode[];
  readonly firsts: readonly FirstAnswer[];
  /** Nobody has ever answered for these, which are watched or were. */
  readonly never: readonly string[];
}

interface Watched {
  readonly since: number;
  /** Nothing counts before somebody answered. */
  hasAnswered: boolean;
  /** Who answered in this round. */
  macs: Set<string>;
  episode: { readonly kind: Episode["kind"]; readonly from: number } | null;
}

export class SoakAnswers {
  readonly #watched = new Map<string, Watched>();
  readonly #episodes: Episode[] = [];
  readonly #firsts: FirstAnswer[] = [];
  readonly #never: string[] = [];
  #round: number | null = null;

  get addresses(): IterableIterator<string> {
    return this.#watched.keys();
  }

  watch(address: string, now: number): void {
    this.#watched.set(address, { since: now, hasAnswered: false, macs: new Set(), episode: null });
  }

  /** What it was in the middle of ends here. */
  unwatch(address: string, now: number): void {
    const watched = this.#watched.get(address);
    if (watched === undefined) return;
    this.#end(address, watched, now);
    if (!watched.hasAnswered) this.#never.push(address);
    this.#watched.delete(address);
  }

  answer(address: string, mac: string, now: number): void {
    const watched = this.#watched.get(address);
    if (watched === undefined) return;
    watched.macs.add(mac);
    if (watched.hasAnswered) return;
    watched.hasAnswered = true;
    const { since } = watched;
    this.#firsts.push({ address, since, ms: now - since });
  }

  /** Every address is asked for from now on; judges the round that ends with this. */
  round(now: number): void {
    const began = this.#round;
    this.#round = now;
    for (const [address, watched] of this.#watched) {
      // One that joined in the middle was asked for in no whole round yet.
      if (began !== null && watched.hasAnswered && watched.since <= began) {
        this.#judge(address, watched, began);
      }
      watched.macs.clear();
    }
  }

  /** Ends everything. */
  report(now: number): AnswersReport {
    for (const address of [...this.#watched.keys()]) this.unwatch(address, now);
    return { episodes: this.#episodes, firsts: this.#firsts, never: this.#never };
  }

  #judge(address: string, watched: Watched, began: number): void {
    const kind = watched.macs.size === 0 ? "none" : watched.macs.size > 1 ? "two" : null;
    if (watched.episode?.kind === kind) return;
    this.#end(address, watched, began);
    watched.episode = kind === null ? null : { kind, from: began };
  }

  #end(address: string, watched: Watched, to: number): void {
    if (watched.episode !== null) this.#episodes.push({ ...watched.episode, address, to });
    watched.episode = null;
  }
}

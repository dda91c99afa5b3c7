// The parts of a bug report, cleaned as they come and bounded in size, and what is missing of it.

import type { Known } from "../doctor/facts.ts";
import { Redactor, type Secret } from "./redact.ts";
import type { ArchiveFile } from "./tar.ts";

/** Of a longer text the end is kept: it is about what happened last. */
const CHARACTERS_MAX = 8_000_000;

export class Parts {
  readonly #files: ArchiveFile[] = [];
  readonly #missing: { name: string; why: string }[] = [];
  readonly #redactor: Redactor;

  constructor(secrets: readonly Secret[]) {
    this.#redactor = new Redactor(secrets);
  }

  get files(): readonly ArchiveFile[] {
    return this.#files;
  }

  get missing(): readonly { readonly name: string; readonly why: string }[] {
    return this.#missing;
  }

  /** How much was taken out, by what it was. */
  get redacted(): ReadonlyMap<string, number> {
    return this.#redactor.counts();
  }

  add(name: string, text: string): void {
    // Cleaned first: a secret that is cut in two would not be known.
    const clean = this.#redactor.redact(text);
    const isCut = clean.length > CHARACTERS_MAX;
    if (isCut) this.miss(name, `only its last ${CHARACTERS_MAX} characters are kept`);
    const kept = isCut ? clean.slice(-CHARACTERS_MAX) : clean;
    this.#files.push({ name, bytes: new TextEncoder().encode(kept) });
  }

  addJson(name: string, value: unknown): void {
    this.add(name, `${JSON.stringify(value, null, 1)}\n`);
  }

  addKnown(name: string, known: Known<string>): void {
    if (known.known) this.add(name, known.value);
    else this.miss(name, known.why);
  }

  miss(name: string, why: string): void {
    this.#missing.push({ name, why: this.#redactor.redact(why) });
  }
}

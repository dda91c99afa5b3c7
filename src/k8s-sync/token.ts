// The bearer token of a kubeconfig. A token file is read again at most once a minute, and at once
// after the server refused the token; a file that has become unreadable keeps the last token.

import { readFileSync } from "node:fs";
import type { TokenSetting } from "./kubeconfig.ts";

/** Projected tokens are renewed at 80 % of an hour at most; a minute of age is early enough. */
const REREAD_AFTER_MS = 60_000;

export class TokenReader {
  readonly #setting: TokenSetting | null;
  readonly #nowMs: () => number;
  #token: string | null = null;
  #readAtMs = Number.NEGATIVE_INFINITY;

  /** `nowMs` is any monotonic clock. */
  constructor(setting: TokenSetting | null, nowMs: () => number) {
    this.#setting = setting;
    this.#nowMs = nowMs;
  }

  current(): string | null {
    if (this.#setting?.kind === "fixed") return this.#setting.token;
    if (this.#setting !== null && this.#nowMs() - this.#readAtMs >= REREAD_AFTER_MS) this.#read();
    return this.#token;
  }

  /** After a 401 for `refused`: whether there is another token by now. */
  renew(refused: string | null): boolean {
    if (this.#setting?.kind !== "file") return false;
    // Another request of the same moment may have read the new one already.
    if (this.#token === refused) this.#read();
    return this.#token !== null && this.#token !== refused;
  }

  #read(): void {
    if (this.#setting?.kind !== "file") return;
    this.#readAtMs = this.#nowMs();
    try {
      const text = readFileSync(this.#setting.path, "utf8").trim();
      if (text !== "") this.#token = text;
    } catch {
      // Being replaced this moment, or gone: the server says whether the last one still serves.
    }
  }
}

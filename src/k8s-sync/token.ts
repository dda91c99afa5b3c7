// The bearer token of a kubeconfig. A token file is read again as soon as it has changed, and after
// the server refused the token; a file that has become unreadable keeps the last token.

import { readFileSync, statSync } from "node:fs";
import type { TokenSetting } from "./kubeconfig.ts";

export class TokenReader {
  readonly #setting: TokenSetting | null;
  #token: string | null = null;
  /** What tells one content of the file from the next, as of the last reading. */
  #seen = "";

  constructor(setting: TokenSetting | null) {
    this.#setting = setting;
  }

  current(): string | null {
    if (this.#setting?.kind === "fixed") return this.#setting.token;
    // One stat for each request costs nothing next to the request, and never misses a renewal.
    if (this.#setting !== null && fingerprint(this.#setting.path) !== this.#seen) this.#read();
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
    const { path } = this.#setting;
    this.#seen = fingerprint(path);
    try {
      const text = readFileSync(path, "utf8").trim();
      if (text !== "") this.#token = text;
    } catch {
      // Being replaced this moment, or gone: the server says whether the last one still serves.
    }
  }
}

/**
 * Another one when the file has changed; of the file at the end of any links, which is how the
 * kubelet exchanges projected tokens. "": there is none.
 */
export function fingerprint(path: string): string {
  try {
    const stat = statSync(path, { bigint: true });
    return `${stat.dev}:${stat.ino}:${stat.size}:${stat.mtimeNs}`;
  } catch {
    return "";
  }
}

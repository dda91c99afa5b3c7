// What a kubeconfig gives either inline in base64 or as the path of a file. A file that cannot be
// read becomes a problem of the kubeconfig, not an exception.

import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { whyUnreadable } from "../core/file-error.ts";
import type { Problem } from "../core/problem.ts";

/** PEM text with the place it came from. */
export interface PemSource {
  readonly where: string;
  /** The file's path, or the key that held the data. */
  readonly source: string;
  readonly text: string;
}

/** Reads what is given inline or by path, relative to the kubeconfig, and collects problems. */
export class FileReader {
  readonly #folder: string;
  readonly #problems: Problem[];

  constructor(folder: string, problems: Problem[]) {
    this.#folder = folder;
    this.#problems = problems;
  }

  resolve(path: string): string {
    return resolve(this.#folder, path);
  }

  /** Inline data wins over a file, as in kubectl. */
  read(
    where: string,
    from: { data?: string | undefined; file?: string | undefined },
  ): PemSource | null {
    if (from.data) return this.#inline(where, from.data);
    if (!from.file) return null;
    const path = this.resolve(from.file);
    try {
      const text = readFileSync(path, "utf8");
      if (text.trim() !== "") return { where, source: `"${path}"`, text };
      this.#problems.push({ where, found: `an empty file "${path}"`, expected: "its content" });
    } catch (thrown) {
      const found = `"${path}", which cannot be read (${whyUnreadable(thrown)})`;
      this.#problems.push({ where, found, expected: "a readable file" });
    }
    return null;
  }

  #inline(where: string, data: string): PemSource | null {
    const text = Buffer.from(data, "base64").toString("utf8");
    if (text.trim() !== "") return { where: `${where}-data`, source: `${where}-data`, text };
    this.#problems.push({ where: `${where}-data`, found: "no base64", expected: "PEM in base64" });
    return null;
  }
}

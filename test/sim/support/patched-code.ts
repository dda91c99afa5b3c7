// A copy of the shipped code with patches, loaded beside the shipped one.

import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Code } from "./code.ts";

export interface Patch {
  /** Below src. */
  readonly file: string;
  /** Must be there exactly once. */
  readonly from: string;
  readonly to: string;
}

/** Loads a copy of the shipped code with the patches applied. */
export async function loadMutant(mutant: { readonly patches: readonly Patch[] }): Promise<Code> {
  return loadPatched(new URL("../../../src/", import.meta.url), mutant.patches);
}

/** `src` ends with a slash. */
async function loadPatched(src: URL, patches: readonly Patch[]): Promise<Code> {
  const folder = mkdtempSync(join(tmpdir(), "lbd-mutant-"));
  try {
    writeFileSync(join(folder, "package.json"), '{ "type": "module" }\n');
    for (const name of ["ownership", "answering", "beacon"]) {
      cpSync(new URL(name, src), join(folder, name), { recursive: true });
      for (const file of readdirSync(join(folder, name))) shareCore(join(folder, name, file));
    }
    for (const patch of patches) apply(join(folder, patch.file), patch);
    const load = (file: string): Promise<unknown> => import(pathToFileURL(join(folder, file)).href);
    const machine = (await load("ownership/machine.ts")) as Pick<Code, "Ownership">;
    const answering = (await load("answering/grants.ts")) as Pick<Code, "Grants">;
    const beacon = (await load("beacon/engine.ts")) as Pick<Code, "BeaconEngine">;
    return { ...machine, ...answering, ...beacon };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The vocabulary is the shipped one: it needs packages, which a temporary folder has not. */
function shareCore(path: string): void {
  const core = new URL("../../../src/core/", import.meta.url).href;
  writeFileSync(path, readFileSync(path, "utf8").replaceAll('"../core/', `"${core}`));
}

function apply(path: string, { file, from, to }: Patch): void {
  const text = readFileSync(path, "utf8");
  const parts = text.split(from);
  if (parts.length !== 2) {
    throw new Error(`Cannot patch ${file}: ${parts.length - 1} places have "${from}"`);
  }
  writeFileSync(path, parts.join(to));
}

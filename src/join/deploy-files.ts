// The texts of deploy/, the one source of what the cluster needs. In a checkout they are read from
// there; the bundle has them in it (scripts/bundle.ts puts its own module in place of this one).

import { readFileSync } from "node:fs";
import { join } from "node:path";

export const DEPLOY_FILES = ["crds.yaml", "rbac.yaml"] as const;

/** What all nodes share. */
export function deployTexts(): readonly string[] {
  const folder = join(import.meta.dirname, "../../deploy");
  return DEPLOY_FILES.map((name) => readFileSync(join(folder, name), "utf8"));
}

// What is left of a lab after a failure: its folder with logs and captures.

import { cpSync, mkdirSync, statSync } from "node:fs";
import { join } from "node:path";

const KEEP_FOLDER_DEFAULT = "/tmp/lbd-lab-failures";

/**
 * Copies the folder to where failures are kept and prints the place. Sockets and caches are left
 * out.
 */
export function keepFolder(folder: string, id: string, why: string): void {
  const keepFolder = process.env.LBD_LAB_KEEP ?? KEEP_FOLDER_DEFAULT;
  const target = join(keepFolder, `${slug(why)}-${id}`);
  mkdirSync(keepFolder, { recursive: true });
  const isCopied = (path: string) => {
    if (path.endsWith("/kubectl-cache")) return false;
    const stat = statSync(path, { throwIfNoEntry: false });
    return stat !== undefined && (stat.isFile() || stat.isDirectory());
  };
  cpSync(folder, target, { recursive: true, filter: isCopied });
  console.error(`The lab failed (${why}): logs and captures are kept in ${target}`);
}

function slug(text: string): string {
  const words = text.toLowerCase().replaceAll(/[^a-z0-9]+/g, "-");
  return words.slice(0, 60).replaceAll(/^-+|-+$/g, "");
}

// The Debian package of these sources, and what is in it.

import { spawnSync } from "node:child_process";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { provided } from "../../lab/provided.ts";

const OUTPUT_BYTES_MAX = 512 * 1024 * 1024;

export interface PackedFile {
  readonly mode: string;
  readonly owner: string;
  readonly path: string;
}

/** Its path; it is built when it is not there. */
export function builtPackage(): Promise<string> {
  return provided("provide-deb.sh");
}

/** What it prints; throws unless it ends with 0. */
export function output(program: string, args: readonly string[], cwd = "/"): string {
  const options = { encoding: "utf8", cwd, maxBuffer: OUTPUT_BYTES_MAX } as const;
  const { status, stdout, stderr, error } = spawnSync(program, args, options);
  if (status === 0) return stdout;
  throw new Error(`"${program} ${args.join(" ")}" ended with ${status}: ${error ?? stderr}`);
}

export function field(deb: string, name: string): string {
  return output("dpkg-deb", ["--field", deb, name]).trim();
}

export function filesIn(deb: string): readonly PackedFile[] {
  const lines = output("dpkg-deb", ["--contents", deb]).split("\n").filter(Boolean);
  return lines.map((line) => {
    const [mode = "", owner = "", , , , path = ""] = line.split(/\s+/);
    return { mode, owner, path: path.slice(1) };
  });
}

/** Unpacks it, maintainer scripts and all, into a folder. */
export function unpack(deb: string, folder: string): void {
  output("dpkg-deb", ["--raw-extract", deb, folder]);
}

/** The bill of materials that lies beside it. */
export function sbomBeside(deb: string): string {
  const name = `lbd_${field(deb, "Version")}_${field(deb, "Architecture")}.cdx.json`;
  return readFileSync(join(dirname(deb), name), "utf8");
}

/** The same package in another version, and with other files in it; its path. */
export function repacked(
  deb: string,
  version: string,
  options: { folder: string; edit: (tree: string) => void },
): string {
  const tree = join(options.folder, `tree-${version}`);
  unpack(deb, tree);
  const control = join(tree, "DEBIAN/control");
  const text = readFileSync(control, "utf8");
  writeFileSync(control, text.replace(/^Version: .*$/m, `Version: ${version}`));
  options.edit(tree);
  const made = join(options.folder, `lbd_${version}.deb`);
  output("dpkg-deb", ["-Znone", "--root-owner-group", "--build", tree, made]);
  rmSync(tree, { recursive: true });
  return made;
}

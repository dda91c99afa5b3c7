// Which packages of others are really in the Debian package, as the bundler saw it: those whose
// files are in the bundle, those that stay packages because of their addons, and the runtime.

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { build, type Metafile } from "esbuild";
import { ARCHITECTURE, ROOT } from "./layout.ts";

export interface Part {
  readonly name: string;
  readonly version: string;
  /** Relative to the repository. */
  readonly folder: string;
  /** An SPDX expression, as the package says. */
  readonly license: string;
  readonly licenseText: string;
  /** Of what npm installed: "sha512-", then base64. */
  readonly integrity: string;
  /** "bundled" into the JavaScript files, a "package" in node_modules, or the "runtime". */
  readonly kind: "bundled" | "package" | "runtime";
}

const PACKAGE_FOLDER = /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/;
const LICENSE_FILE = /^licen[cs]e(\.md|\.txt)?$/i;

/** Files that the external packages load, relative to the repository, their addons included. */
export async function packageFiles(bundle: Metafile): Promise<readonly string[]> {
  const imports = Object.values(bundle.outputs).flatMap((output) => output.imports);
  const names = imports.filter(({ path, external }) => external === true && isPackage(path));
  const { metafile } = await build({
    absWorkingDir: ROOT,
    entryPoints: [...new Set(names.map(({ path }) => path))].map((path) => entryOf(path)),
    outdir: "unwritten",
    bundle: true,
    write: false,
    metafile: true,
    platform: "node",
    logLevel: "error",
  });
  const scripts = Object.keys(metafile.inputs);
  const manifests = foldersOf(scripts).map((folder) => `${folder}/package.json`);
  const addons = Object.entries(ARCHITECTURE.addons).map(
    ([name, file]) => `node_modules/${name}/${file}`,
  );
  return [...new Set([...scripts, ...manifests, ...addons])].sort();
}

/** In the order of their names; the runtime first. */
export function partsOf(bundle: Metafile, files: readonly string[]): readonly Part[] {
  const packages = foldersOf(files);
  const bundled = foldersOf(Object.keys(bundle.inputs)).filter((one) => !packages.includes(one));
  return [
    partIn(`node_modules/${ARCHITECTURE.nodePackage}`, "runtime"),
    ...bundled.map((folder) => partIn(folder, "bundled")),
    ...packages.map((folder) => partIn(folder, "package")),
  ];
}

function isPackage(path: string): boolean {
  return !/^(node:|\.)/.test(path) && entryOf(path) !== "";
}

/** esbuild takes a bare name for an entry point to be a file. */
function entryOf(path: string): string {
  const file = join("node_modules", path);
  return existsSync(join(ROOT, file)) ? `./${file}` : "";
}

function foldersOf(files: readonly string[]): readonly string[] {
  const folders = files.flatMap((file) => PACKAGE_FOLDER.exec(file)?.[0] ?? []);
  return [...new Set(folders)].sort();
}

function partIn(folder: string, kind: Part["kind"]): Part {
  const { name, version, license } = JSON.parse(textOf(`${folder}/package.json`));
  const lock = JSON.parse(textOf("package-lock.json")).packages[folder];
  const file = readdirSync(join(ROOT, folder)).find((one) => LICENSE_FILE.test(one));
  if (file === undefined) throw new Error(`Cannot package "${name}": it has no licence file`);
  if (lock?.version !== version) {
    throw new Error(`Cannot package "${name}": ${version} is not the lockfile's; run npm ci`);
  }
  const licenseText = textOf(`${folder}/${file}`);
  return { name, version, folder, license, licenseText, integrity: lock.integrity, kind };
}

function textOf(file: string): string {
  return readFileSync(join(ROOT, file), "utf8");
}

// Puts together the source tree that debhelper packs: root/ as it will lie on the host, the manual
// pages, and debian/ with the files that are made. Argument: the folder, which must not be there.

import { chmodSync, copyFileSync, cpSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { bashCompletion } from "../../src/cli/completion/bash.ts";
import { fishCompletion } from "../../src/cli/completion/fish.ts";
import { wordsOf } from "../../src/cli/completion/words.ts";
import { zshCompletion } from "../../src/cli/completion/zsh.ts";
import { buildProgram } from "../../src/cli/program.ts";
import { nodeFileText } from "../../src/config/node-file-text.ts";
import { bundle, MEMORY_ENVIRONMENT, NODE_ARGUMENTS } from "../bundle.ts";
import { copyright } from "./copyright.ts";
import { ARCHITECTURE, LIBRARY, ROOT } from "./layout.ts";
import { manPages } from "./man-pages.ts";
import { packageFiles, partsOf } from "./parts.ts";
import { sbom } from "./sbom.ts";

const MS_PER_S = 1_000;

async function stage(folder: string, builtAt: Date): Promise<void> {
  const place = (path: string) => made(join(folder, "root", path));
  const library = (name: string) => place(join(LIBRARY, name));
  const contents = await bundle(dirname(library("main.js")));
  const files = await packageFiles(contents);
  for (const file of files) copyFileSync(join(ROOT, file), library(file));
  copyFileSync(join(ROOT, "node_modules", ARCHITECTURE.nodePackage, "bin/node"), library("node"));
  // Said, Node need not find out: it would parse each file twice.
  writeFileSync(library("package.json"), '{ "type": "module" }\n');
  const programs = { [library("node")]: null, ...wrappers(place) };
  for (const [path, text] of Object.entries(programs)) {
    if (text !== null) writeFileSync(path, text);
    chmodSync(path, 0o755);
  }

  writeFileSync(place("/etc/lbd/config.yaml"), nodeFileText());
  const firewall = join(ROOT, "packaging/deb/firewall");
  copyFileSync(join(firewall, "ufw"), place("/etc/ufw/applications.d/lbd"));
  copyFileSync(join(firewall, "lbd.xml"), place("/usr/lib/firewalld/services/lbd.xml"));
  const words = wordsOf(buildProgram());
  const share = (path: string, text: string) => writeFileSync(place(`/usr/share/${path}`), text);
  share("bash-completion/completions/lbctl", bashCompletion(words));
  share("zsh/vendor-completions/_lbctl", zshCompletion(words));
  share("fish/vendor_completions.d/lbctl.fish", fishCompletion(words));

  const date = builtAt.toISOString().slice(0, "YYYY-MM-DD".length);
  for (const [name, text] of Object.entries(manPages(date))) {
    writeFileSync(made(join(folder, "man", name)), text);
  }
  const parts = partsOf(contents, files);
  cpSync(join(ROOT, "packaging/deb/debian"), join(folder, "debian"), { recursive: true });
  writeFileSync(join(folder, "debian/copyright"), copyright(parts));
  copyFileSync(join(ROOT, "systemd/lbd.service"), join(folder, "debian/lbd.service"));
  const withdraw = "lbd-withdraw.service";
  copyFileSync(join(ROOT, "systemd", withdraw), join(folder, `debian/lbd.${withdraw}`));
  // Not beside debian/: there debhelper takes it for the changelog of the package.
  copyFileSync(join(ROOT, "CHANGELOG.md"), made(join(folder, "files/CHANGELOG.md")));
  writeFileSync(join(folder, "lbd.cdx.json"), sbom(parts, builtAt));
}

/** Programs of the path: the runtime that comes along, whatever others the host has. */
function wrappers(place: (path: string) => string): Readonly<Record<string, string>> {
  const memory = Object.entries(MEMORY_ENVIRONMENT).map(([name, value]) => `${name}=${value}`);
  const script = (what: string, file: string) =>
    [
      "#!/bin/sh",
      `# ${what}, on the Node.js that comes with it; options of another are not for this one.`,
      "unset NODE_OPTIONS NODE_PATH",
      `export ${memory.join(" ")}`,
      `exec ${LIBRARY}/node ${NODE_ARGUMENTS.join(" ")} \\`,
      `  ${LIBRARY}/${file} "$@"`,
      "",
    ].join("\n");
  return {
    [place("/usr/sbin/lbd")]: script("The daemon", "main.js"),
    [place("/usr/bin/lbctl")]: script("lbctl", "lbctl.js"),
  };
}

/** The path, in a folder that is there. */
function made(path: string): string {
  mkdirSync(dirname(path), { recursive: true });
  return path;
}

const [folder] = process.argv.slice(2);
const seconds = Number(process.env.SOURCE_DATE_EPOCH);
if (folder === undefined || !(seconds > 0)) {
  throw new Error("Cannot stage the package: expected a folder, and SOURCE_DATE_EPOCH");
}
await stage(folder, new Date(seconds * MS_PER_S));

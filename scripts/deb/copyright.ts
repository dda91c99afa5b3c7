// The Debian copyright file (DEP 5): lbd's own licence, and that of every part in the package, each
// with the text that came with it.

import type { Part } from "./parts.ts";

const OWN = `Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: lbd
Comment: Parts of others, each with its licence, follow the program's own. Their paths
 are those of the tree that the package is built from.

Files: *
Copyright: the authors of lbd
License: Apache-2.0

License: Apache-2.0
 On Debian systems, the full text of the Apache License 2.0 is in
 /usr/share/common-licenses/Apache-2.0.
`;

export function copyright(parts: readonly Part[]): string {
  return [OWN, ...parts.map(stanza)].join("\n");
}

function stanza({ name, version, folder, license, licenseText, kind }: Part): string {
  // The same licence has another name and year in each part: each has a text of its own.
  const short = `${license}-of-${name.replaceAll(/[^A-Za-z0-9.-]/g, "-")}`;
  const where = kind === "runtime" ? "/usr/lib/lbd/node" : `${name} ${version}, ${kind}`;
  return `Files: ${folder}/*
Copyright: ${holders(licenseText).join("\n ") || `the authors of ${name}`}
License: ${short}
Comment: ${where}

License: ${short}
${indented(licenseText)}
`;
}

/** The lines that say who; a long collection of licences, as Node's, has too many of them. */
function holders(text: string): readonly string[] {
  const lines = text.split("\n").map((line) => line.replace(/^[\s"*#]+/, "").trim());
  return lines.filter((line) => /^(copyright )?(\(c\)|©|copyright) /i.test(line)).slice(0, 3);
}

function indented(text: string): string {
  const lines = text
    .trimEnd()
    .split("\n")
    .map((line) => line.trimEnd());
  return lines.map((line) => (line === "" ? " ." : ` ${line.replace(/^\./, " .")}`)).join("\n");
}

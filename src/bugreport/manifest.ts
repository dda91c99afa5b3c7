// What an archive says of itself: what is in it, what is missing and why, what was taken out.

export interface ManifestInput {
  readonly madeAt: string;
  readonly host: string;
  readonly version: string;
  readonly files: readonly { readonly name: string; readonly bytes: number }[];
  readonly missing: readonly { readonly name: string; readonly why: string }[];
  readonly redacted: ReadonlyMap<string, number>;
}

export function manifestText(input: ManifestInput): string {
  const { madeAt, host, version, files, missing, redacted } = input;
  const lines = [
    `lbd bug report of host ${host}, made ${madeAt} by lbctl ${version}`,
    "",
    "In it are names and addresses of this cluster, its hosts and its network. Tokens, keys and",
    "passwords were taken out where they were known or looked like such: look through it before",
    "you send it.",
    "",
    "files:",
    ...files.map(({ name, bytes }) => `  ${name} (${bytes} bytes)`),
    "",
    `missing:${missing.length === 0 ? " nothing" : ""}`,
    ...missing.map(({ name, why }) => `  ${name}: ${why.split("\n").join(" ")}`),
    "",
    `redacted:${redacted.size === 0 ? " nothing was found" : ""}`,
    ...[...redacted].map(([name, count]) => `  ${name}: ${count}`),
  ];
  return `${lines.join("\n")}\n`;
}

// The node file as it is installed: every setting with its meaning and its default, all commented
// out, so that a later version may change a default. `lbd --print-default` prints it.

import { nodeFileSchema } from "./node-file.ts";
import { SETTINGS, type Setting } from "./node-file-settings.ts";

const WIDTH = 100;
const HEADER =
  "/etc/lbd/config.yaml: the settings of this node. Each line shows the default, or an example " +
  'where there is none; remove the "#" to change one. lbd.yaml(5) tells the limits, ' +
  '"lbd --check" whether the file is valid; "systemctl reload lbd" takes it up.';

export function nodeFileText(): string {
  const defaults: Readonly<Record<string, unknown>> = nodeFileSchema.parse({});
  const settings = SETTINGS.map((setting) => settingText(setting, defaults[setting.key]));
  return `${[comment(HEADER), ...settings].join("\n\n")}\n`;
}

function settingText({ key, text, parts = {}, example }: Setting, value: unknown): string {
  const meanings = Object.entries(parts).map(([part, meaning]) =>
    comment(`${part}: ${meaning}`, { first: "#   ", rest: "#     " }),
  );
  const shown = value === undefined ? (example ?? "") : flow(value);
  // What stands in brackets may go on in the next line, if that is indented.
  const setting = comment(`${key}: ${shown}`, { first: "#", rest: "#  " });
  return [comment(text), ...meanings, setting].join("\n");
}

/** As YAML in one line. */
function flow(value: unknown): string {
  if (value === "") return '""';
  if (Array.isArray(value)) return `[${value.map((item) => JSON.stringify(item)).join(", ")}]`;
  if (typeof value !== "object" || value === null) return String(value);
  const pairs = Object.entries(value).map(([key, inner]) => `${key}: ${flow(inner)}`);
  return `{${pairs.join(", ")}}`;
}

/** Broken into lines at spaces. */
function comment(text: string, { first = "# ", rest = "# " } = {}): string {
  const lines: string[] = [];
  let line = first;
  for (const word of text.split(" ")) {
    const isStart = line === first || line === rest;
    const longer = isStart ? line + word : `${line} ${word}`;
    if (longer.length > WIDTH && !isStart) {
      lines.push(line);
      line = rest + word;
    } else {
      line = longer;
    }
  }
  return [...lines, line].join("\n");
}

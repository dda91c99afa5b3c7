// The manual pages: prose from docs/man/, options and commands from the programs themselves, the
// settings from the table and the schema of the node file.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Command, Option } from "commander";
import { buildProgram as buildLbctl } from "../../src/cli/program.ts";
import { nodeFileSchema } from "../../src/config/node-file.ts";
import { SETTINGS, type Setting } from "../../src/config/node-file-settings.ts";
import { VERSION } from "../../src/core/version.ts";
import { buildProgram as buildLbd } from "../../src/daemon/program.ts";
import { ROOT } from "./layout.ts";
import { manPage } from "./roff.ts";

/** What a schema of zod says of itself, as far as it is told here. */
interface Schema {
  readonly type: string;
  readonly def: { readonly innerType?: unknown; readonly element?: unknown };
  readonly minValue?: number | null;
  readonly maxValue?: number | null;
  readonly options?: readonly unknown[];
  readonly shape?: Readonly<Record<string, unknown>>;
}

const WRAPPERS = ["default", "prefault", "optional"];

/** By file name; `date` as YYYY-MM-DD. */
export function manPages(date: string): Readonly<Record<string, string>> {
  const lbd = buildLbd(async () => {});
  const lbctl = buildLbctl();
  return {
    "lbd.8": page("lbd", 8, date, { options: optionsOf(lbd) }),
    "lbctl.1": page("lbctl", 1, date, {
      options: optionsOf(lbctl),
      commands: lbctl.commands.flatMap((command) => commandText(command, "lbctl")).join("\n\n"),
    }),
    "lbd.yaml.5": page("lbd.yaml", 5, date, {
      settings: SETTINGS.map(settingText).join("\n\n"),
    }),
  };
}

function page(
  name: string,
  section: number,
  date: string,
  made: Readonly<Record<string, string>>,
): string {
  const prose = readFileSync(join(ROOT, "docs/man", `${name}.${section}.md`), "utf8");
  const title = `# ${name}(${section})\n`;
  if (!prose.startsWith(title)) throw new Error(`Cannot make ${name}.${section}: no "${title}"`);
  const markdown = prose.slice(title.length).replaceAll(/^\{(\w+)\}$/gm, (_, key: string) => {
    const text = made[key];
    if (text === undefined) throw new Error(`Cannot make ${name}.${section}: no {${key}}`);
    return text;
  });
  return manPage({ name, section, date, version: VERSION }, markdown);
}

function optionsOf(command: Command): string {
  const help = "`-h`, `--help`\n: Prints a short help.";
  return [...command.options.map(optionText), help].join("\n\n");
}

function optionText(option: Option): string {
  const flags = option.flags.replaceAll(/--?[a-zA-Z-]+/g, "`$&`");
  const term = flags.replaceAll(/<([^>]+)>/g, "*$1*");
  const choices = option.argChoices === undefined ? [] : [`one of ${list(option.argChoices)}`];
  const isTold = option.defaultValue === undefined || Array.isArray(option.defaultValue);
  const byDefault = isTold ? [] : [`default: \`${option.defaultValue}\``];
  const variable = option.envVar === undefined ? [] : [`environment: \`${option.envVar}\``];
  const more = [...choices, ...byDefault, ...variable].join("; ");
  return `${term}\n: ${sentence(option.description, more)}`;
}

/** The command, and those below it. */
function commandText(command: Command, above: string): readonly string[] {
  const path = `${above} ${command.name()}`;
  const below = command.commands.flatMap((inner) => commandText(inner, path));
  const isGroup = command.options.length === 0 && command.registeredArguments.length === 0;
  if (isGroup && below.length > 0) return below;
  const names = command.registeredArguments.map((argument) => {
    const named = `*${argument.name()}*`;
    return argument.required ? named : `[${named}]`;
  });
  const values = command.registeredArguments.map((argument) => {
    const more = argument.argChoices === undefined ? "" : `one of ${list(argument.argChoices)}`;
    return `*${argument.name()}*\n: ${sentence(argument.description, more)}`;
  });
  const usage = [path, ...names].join(" ").replaceAll("*", "");
  const texts = [...values, ...command.options.map(optionText), afterHelp(command)];
  const text = sentence(command.description(), "");
  return [`### ${usage}`, text, ...texts.filter((one) => one !== ""), ...below];
}

/** What a command adds behind its help; lines that are indented there are examples. */
function afterHelp(command: Command): string {
  let printed = "";
  command.configureOutput({ writeOut: (text) => (printed += text) });
  command.outputHelp();
  const added = printed.slice(command.helpInformation().length);
  return added.replaceAll(/^ {2}(?=\S)/gm, "    ").trimEnd();
}

function settingText({ key, text, parts = {} }: Setting): string {
  const schema = shapeOf(nodeFileSchema)[key];
  const limits = typeText(schema);
  const inner = shapeOf(bare(schema));
  const byDefault = nodeFileSchema.parse({})[key];
  const shown = byDefault === undefined ? "" : `; default: ${defaultText(byDefault)}`;
  const term = (name: string) => `\`${name}:\``;
  if (Object.keys(parts).length === 0) {
    return `${term(key)} ${limits}${shown}\n: ${text}`;
  }
  const values: Readonly<Record<string, unknown>> = Object(byDefault);
  const partTexts = Object.entries(parts).map(
    ([name, meaning]) =>
      `\`${key}.${name}:\` ${typeText(inner[name])}; default: \`${values[name]}\`\n` +
      `: ${sentence(meaning, "")}`,
  );
  return [`${term(key)} with the following keys below it\n: ${text}`, ...partTexts].join("\n\n");
}

function defaultText(value: unknown): string {
  return Array.isArray(value) ? list(value) : `\`${value}\``;
}

function typeText(schema: unknown): string {
  const { type, minValue, maxValue, options, def } = bare(schema);
  switch (type) {
    case "string":
      return "text";
    case "boolean":
      return "`true` or `false`";
    case "number":
      return `a number, ${minValue} to ${maxValue}`;
    case "enum":
      return `one of ${list((options ?? []).map(String))}`;
    case "array":
      return `a list, each ${typeText(def.element)}`;
    case "object":
      return "a group";
    default:
      throw new Error(`Cannot tell of a setting of type "${type}"`);
  }
}

/** Without what only says that it may be missing. */
function bare(schema: unknown): Schema {
  const known = schema as Schema;
  return WRAPPERS.includes(known.type) ? bare(known.def.innerType) : known;
}

function shapeOf(schema: unknown): Readonly<Record<string, unknown>> {
  return (schema as Schema).shape ?? {};
}

function list(names: readonly string[]): string {
  return names.map((name) => `\`${name}\``).join(", ");
}

function sentence(text: string, more: string): string {
  const first = text.charAt(0).toUpperCase() + text.slice(1);
  return `${first}${more === "" ? "" : ` (${more})`}.`;
}

// What can be written on lbctl's command line, read off the program itself: the commands with their
// options and arguments. The completions of all shells are made from it.

import type { Argument, Command, Option } from "commander";

/** What a value can be completed with: one of these, a file, or nothing that is known. */
export type Values = readonly string[] | "file" | "anything";

export interface OptionWords {
  /** "-o", "--output". */
  readonly names: readonly string[];
  readonly text: string;
  /** null: the option takes none. */
  readonly values: Values | null;
}

export interface CommandWords {
  /** As it is written: "lbctl plan rebalance". */
  readonly path: string;
  readonly name: string;
  readonly text: string;
  /** Those of the commands above it included: they may be written behind it as well. */
  readonly options: readonly OptionWords[];
  readonly commands: readonly CommandWords[];
  /** One after the other. */
  readonly arguments: readonly Values[];
}

const FILE = /<(file|path)>/;

export function wordsOf(program: Command): CommandWords {
  return commandWords(program, "", []);
}

/** The command and all below it. */
export function everyCommand(words: CommandWords): readonly CommandWords[] {
  return [words, ...words.commands.flatMap(everyCommand)];
}

function commandWords(
  command: Command,
  above: string,
  inherited: readonly OptionWords[],
): CommandWords {
  const path = `${above} ${command.name()}`.trim();
  const help: OptionWords = { names: ["-h", "--help"], text: "display help", values: null };
  const version = command.options.filter(({ long }) => long === "--version");
  const own = command.options.filter((option) => !version.includes(option)).map(optionWords);
  const options = [...own, ...inherited];
  return {
    path,
    name: command.name(),
    text: command.description(),
    options: [...options, ...version.map(optionWords), help],
    commands: command.commands.map((inner) => commandWords(inner, path, options)),
    arguments: command.registeredArguments.map(argumentValues),
  };
}

function optionWords(option: Option): OptionWords {
  const names = [option.short, option.long].filter((name) => name != null);
  const takesValue = option.required || option.optional;
  const values = option.argChoices ?? (FILE.test(option.flags) ? "file" : "anything");
  return { names, text: option.description, values: takesValue ? values : null };
}

function argumentValues(argument: Argument): Values {
  return argument.argChoices ?? "anything";
}

// The completion of lbctl for zsh.

import type { CommandWords, OptionWords, Values } from "./words.ts";
import { everyCommand } from "./words.ts";

export function zshCompletion(words: CommandWords): string {
  const functions = everyCommand(words).map(functionOf);
  return `#compdef lbctl
# zsh completion for lbctl; made by "lbctl completion zsh"

${functions.join("\n\n")}

# Read by the completion system it is the body of a function of this name; sourced, it is not.
if [ "$funcstack[1]" = "_lbctl" ]; then
  _lbctl "$@"
else
  compdef _lbctl lbctl
fi
`;
}

function functionOf(command: CommandWords): string {
  const specs = command.options.map(optionSpec);
  const name = nameOf(command);
  if (command.commands.length === 0) {
    const own = command.arguments.map((values) => `'${`: :${action(values)}`}'`);
    return `${name}() {\n  _arguments \\\n${lines([...specs, ...own])}\n}`;
  }
  const described = command.commands.map(
    ({ name, text }) => `    '${escaped(`${name}:${text.replaceAll(":", "\\:")}`)}'`,
  );
  const calls = command.commands.map((inner) => `        ${inner.name}) ${nameOf(inner)} ;;`);
  return `${name}() {
  local curcontext=$curcontext state line
  typeset -A opt_args
  local -a commands=(
${described.join("\n")}
  )
  _arguments -C \\
${lines([...specs, "'1: :->command'", "'*:: :->inner'"])}
  case $state in
    command) _describe command commands ;;
    inner)
      case $line[1] in
${calls.join("\n")}
      esac ;;
  esac
}`;
}

function lines(specs: readonly string[]): string {
  return specs.map((spec) => `    ${spec}`).join(" \\\n");
}

/** One spec for all names of an option, of which one may be given. */
function optionSpec({ names, values, text }: OptionWords): string {
  const description = `[${text.replaceAll(/[[\]]/g, "\\$&")}]`;
  const value = values === null ? "" : `: :${action(values)}`;
  const spec = `'${escaped(description + value)}'`;
  const [first = "", ...others] = names;
  return others.length === 0
    ? `'${first}'${spec}`
    : `'(${names.join(" ")})'{${names.join(",")}}${spec}`;
}

function action(values: Values): string {
  if (values === "file") return "_files";
  return values === "anything" ? " " : `(${values.join(" ")})`;
}

function nameOf({ path }: CommandWords): string {
  return `_${path.replaceAll(/[^a-z]/g, "_")}`;
}

function escaped(text: string): string {
  return text.replaceAll("'", "'\\''");
}

// The completion of lbctl for bash; it needs nothing but bash itself.

import type { CommandWords, OptionWords, Values } from "./words.ts";
import { everyCommand } from "./words.ts";

export function bashCompletion(words: CommandWords): string {
  const commands = everyCommand(words);
  return `# bash completion for lbctl; made by "lbctl completion bash"

_lbctl() {
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD-1]}
  local path=lbctl argument=0 index word
  # Which command the words before this one name; values of options are none of them.
  for ((index = 1; index < COMP_CWORD; index++)); do
    word=\${COMP_WORDS[index]}
    case "$word" in
      ${namesWithValue(commands)}) index=$((index + 1)) ;;
      -*) ;;
      *)
        case "$path $word" in
          ${below(commands)}) path+=" $word" ;;
          *) argument=$((argument + 1)) ;;
        esac ;;
    esac
  done
  COMPREPLY=()
  case "$path $previous" in
${commands.flatMap(valueCases).join("\n")}
  esac
  local offered=
  case "$path $argument" in
${commands.flatMap(argumentCases).join("\n")}
  esac
  if [[ $current == -* ]]; then
    case "$path" in
${commands.map(optionCase).join("\n")}
    esac
  fi
  mapfile -t COMPREPLY < <(compgen -W "$offered" -- "$current")
}

complete -F _lbctl lbctl
`;
}

function namesWithValue(commands: readonly CommandWords[]): string {
  const taking = commands.flatMap(({ options }) => options.filter(({ values }) => values !== null));
  return [...new Set(taking.flatMap(({ names }) => names))].join(" | ");
}

function below(commands: readonly CommandWords[]): string {
  const paths = commands.slice(1).map(({ path }) => `"${path}"`);
  return paths.join(" | \\\n            ");
}

function valueCases({ path, options }: CommandWords): readonly string[] {
  return options.flatMap(({ names, values }) => {
    if (values === null) return [];
    const patterns = names.map((name) => `"${path} ${name}"`).join(" | ");
    return [`    ${patterns}) ${replyWith(values)}return ;;`];
  });
}

function replyWith(values: Values): string {
  if (values === "anything") return "";
  const source = values === "file" ? "-f" : `-W "${values.join(" ")}"`;
  const names = values === "file" ? "compopt -o filenames 2>/dev/null; " : "";
  return `${names}mapfile -t COMPREPLY < <(compgen ${source} -- "$current"); `;
}

function argumentCases(command: CommandWords): readonly string[] {
  const { path, commands } = command;
  const names = commands.map(({ name }) => name);
  const inner = names.length > 0 ? [`    "${path} 0") offered="${names.join(" ")}" ;;`] : [];
  const own = command.arguments.flatMap((values, index) =>
    typeof values === "string" ? [] : [`    "${path} ${index}") offered="${values.join(" ")}" ;;`],
  );
  return [...inner, ...own];
}

function optionCase({ path, options }: CommandWords): string {
  return `      "${path}") offered="${namesOf(options)}" ;;`;
}

function namesOf(options: readonly OptionWords[]): string {
  return options.flatMap(({ names }) => names).join(" ");
}

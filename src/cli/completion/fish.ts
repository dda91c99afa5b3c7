// The completion of lbctl for fish.

import type { CommandWords, OptionWords } from "./words.ts";
import { everyCommand } from "./words.ts";

export function fishCompletion(words: CommandWords): string {
  const commands = everyCommand(words);
  const paths = commands.map(({ path }) => quoted(path)).join(" ");
  const taking = commands.flatMap(({ options }) => options.filter(({ values }) => values !== null));
  const names = [...new Set(taking.flatMap((option) => option.names))].join(" ");
  return `# fish completion for lbctl; made by "lbctl completion fish"

# Whether the words before the cursor name this command, and so many arguments of it; values of
# options are none of them.
function __lbctl_at -a wanted arguments
    set -l path lbctl
    set -l count 0
    set -l isValue no
    set -l words (commandline -opc)
    for word in $words[2..-1]
        if test $isValue = yes
            set isValue no
        else if contains -- $word ${names}
            set isValue yes
        else if contains -- "$path $word" ${paths}
            set path "$path $word"
        else if not string match -q -- '-*' $word
            set count (math $count + 1)
        end
    end
    test "$path" = $wanted; and test $count = "$arguments" -o -z "$arguments"
end

complete -c lbctl -f
${commands.flatMap(linesOf).join("\n")}
`;
}

function linesOf(command: CommandWords): readonly string[] {
  const at = (count: number | "") =>
    `complete -c lbctl -n ${quoted(`__lbctl_at "${command.path}" ${count}`.trim())}`;
  const inner = command.commands.map(({ name, text }) => `${at(0)} -a ${name} -d ${quoted(text)}`);
  const own = command.arguments.flatMap((values, index) =>
    typeof values === "string" ? [] : [`${at(index)} -a ${quoted(values.join(" "))}`],
  );
  return [...inner, ...own, ...command.options.map((option) => `${at("")} ${flags(option)}`)];
}

function flags({ names, values, text }: OptionWords): string {
  const written = names.map((name) =>
    name.startsWith("--") ? `-l ${name.slice(2)}` : `-s ${name.slice(1)}`,
  );
  const value = values === "file" ? ["-r -F"] : values === "anything" ? ["-x"] : [];
  const chosen = Array.isArray(values) ? [`-x -a ${quoted(values.join(" "))}`] : [];
  return [...written, ...value, ...chosen, `-d ${quoted(text)}`].join(" ");
}

function quoted(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}

// lbctl completion: the completion script of a shell. It asks nobody.

import { Argument, type Command } from "commander";
import { bashCompletion } from "../completion/bash.ts";
import { fishCompletion } from "../completion/fish.ts";
import { type CommandWords, wordsOf } from "../completion/words.ts";
import { zshCompletion } from "../completion/zsh.ts";

const HELP = `
The Debian package has installed them already. Elsewhere, for one session:

  source <(lbctl completion bash)
  source <(lbctl completion zsh)
  lbctl completion fish | source`;

const SHELLS = {
  bash: bashCompletion,
  zsh: zshCompletion,
  fish: fishCompletion,
} as const satisfies Readonly<Record<string, (words: CommandWords) => string>>;

export function addCompletion(program: Command): void {
  program
    .command("completion")
    .description("Prints the completion of lbctl for a shell")
    .addArgument(new Argument("<shell>", "whose").choices(Object.keys(SHELLS)))
    .addHelpText("after", HELP)
    .action((shell: keyof typeof SHELLS) => {
      process.stdout.write(SHELLS[shell](wordsOf(program)));
    });
}

// lbctl plan: what would be done, before it is.

import type { Command } from "commander";
import type { ListView, MoveView } from "../../api/types.ts";
import type { Context, MakeContext } from "../context.ts";
import { readInput, STDIN } from "../input.ts";
import { configPlanText, shadowText } from "../plan-text.ts";
import { formatTable } from "../table.ts";

const HELP = `
Objects of the files replace those of the same kind and name; the rest of the
configuration stays as it is, unless --replace is given. Nothing is changed.
Exit status: 0 the plan, 1 the files would not be accepted as configuration.

  lbctl plan -f pools.yaml
  kubectl kustomize . | lbctl plan -f - --replace`;

interface Options {
  readonly file?: readonly string[];
  readonly replace?: boolean;
}

export function addPlan(program: Command, context: MakeContext): void {
  const plan = program
    .command("plan")
    .description("What a changed configuration, or a command, would do; changes nothing")
    .option("-f, --file <file>", 'the changed objects; may be repeated; "-": stdin', collect)
    .option("--replace", "the files are all there is: the rest would be removed")
    .addHelpText("after", HELP)
    // A subcommand that is misspelt: commander would call it an argument too many.
    .allowExcessArguments()
    .action((options: Options, command: Command) => {
      const [unknown] = command.args;
      if (unknown !== undefined) command.error(`error: unknown command '${unknown}'`);
      if (options.file === undefined) return command.help({ error: true });
      return planFiles({ ...options, file: options.file }, context(command));
    });
  plan
    .command("rebalance")
    .description("Addresses that are not with the node that ranks first for them")
    .action(async (_options: unknown, command: Command) => {
      const { client, show } = context(command);
      show(await client.get("/v1/plan/rebalance"), planText);
    });
  plan
    .command("shadow")
    .description("What lbd would do otherwise than is done now (mode: shadow)")
    .action(async (_options: unknown, command: Command) => {
      const { client, show, exitWith } = context(command);
      const answer = await client.get("/v1/plan/shadow");
      show(answer, shadowText);
      exitWith(answer.item.differences === 0 ? 0 : 1);
    });
}

async function planFiles(
  { file: names, replace = false }: Options & { readonly file: readonly string[] },
  { client, show, say, exitWith }: Context,
): Promise<void> {
  const files = names.map((name) => ({
    name: name === STDIN ? "stdin" : name,
    text: readInput(name),
  }));
  const answer = await client.post("/v1/plan/config", { files, replace });
  for (const text of [...answer.item.notices, ...answer.item.problems]) say(text);
  show(answer, configPlanText);
  exitWith(answer.item.valid ? 0 : 1);
}

function collect(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}

export function planText({ items }: ListView<MoveView>): string {
  if (items.length === 0) {
    return "Nothing would move: each address is with the best of the nodes that could have it\n";
  }
  return movesTable(items);
}

export function movesTable(items: readonly MoveView[]): string {
  return formatTable(items, [
    { title: "ADDRESS", value: (move) => move.address },
    { title: "FROM", value: (move) => move.from },
    { title: "TO", value: (move) => move.to },
  ]);
}

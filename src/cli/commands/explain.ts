// lbctl explain: why a Service has its address (or none), and who answers for it.

import type { Command } from "commander";
import type { ExplainStep, ExplainView, ItemView } from "../../api/types.ts";
import type { MakeContext } from "../context.ts";

const MARK: Readonly<Record<ExplainStep["state"], string>> = {
  ok: "ok ",
  no: "no ",
  problem: "BAD",
  unknown: "?  ",
};

export function addExplain(program: Command, context: MakeContext): void {
  program
    .command("explain")
    .description("The chain of causes from a Service to the node that answers")
    .argument("<subject>", "a Service (namespace/name) or an address")
    .action(async (subject: string, _options: unknown, command: Command) => {
      const { client, show, exitWith } = context(command);
      const answer = await client.get("/v1/explain", { subject });
      show(answer, explainText);
      exitWith(answer.item.steps.some((step) => step.state === "problem") ? 1 : 0);
    });
}

export function explainText({ item }: ItemView<ExplainView>): string {
  const lines = [`${item.subject}: ${item.answer}`];
  for (const step of item.steps) {
    lines.push(`  ${MARK[step.state]} ${step.step.padEnd(13)} ${step.text}`);
  }
  return `${lines.join("\n")}\n`;
}

// lbctl status: is everything well, and if not, what to do.

import type { Command } from "commander";
import type { ItemView, StatusView } from "../../api/types.ts";
import type { MakeContext } from "../context.ts";
import { shortDuration } from "../output.ts";

export function addStatus(program: Command, context: MakeContext): void {
  program
    .command("status")
    .description("Health of this node's daemon, what is wrong, and what to do about it")
    .action(async (_options: unknown, command: Command) => {
      const { client, show, exitWith } = context(command);
      const answer = await client.get("/v1/status");
      show(answer, statusText);
      exitWith(answer.item.health === "ok" ? 0 : 1);
    });
}

/** Health first; every line that is not green has its cause and what to do. */
export function statusText({ item }: ItemView<StatusView>): string {
  const lines = [`health    ${item.health}`];
  for (const finding of item.findings) {
    lines.push(`  ${finding.health === "ok" ? "note" : finding.health}: ${finding.what}`);
    lines.push(`    cause: ${finding.cause}`);
    lines.push(`    next:  ${finding.next}`);
  }
  const { api, leader, config, vips } = item;
  const contact =
    api.lastContactSecondsAgo === null
      ? "never reached since the start"
      : `last heard ${shortDuration(api.lastContactSecondsAgo)} ago`;
  const reach = api.reachable ? "reachable" : "NOT reachable";
  lines.push(
    `node      ${item.node}, lbd ${item.version}, up ${shortDuration(item.uptimeSeconds)}`,
    `api       ${api.server || "no server known"}, ${reach}, ${contact}`,
    `leader    ${leader.node ?? "none"}${leader.isThisNode ? " (this node)" : ""}`,
    `config    ${config.valid ? "valid" : "INVALID, the last valid one is in use"}: ` +
      `${count(config.pools, "pool")}, ${count(config.advertisements, "advertisement")}`,
    `vips      ${vips.total} in the cluster, ${vips.ownedHere} owned here, ` +
      `${vips.withoutOwner} without an owner`,
  );
  return `${lines.join("\n")}\n`;
}

function count(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? "" : "s"}`;
}

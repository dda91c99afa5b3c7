// lbctl status: is everything well, and if not, what to do.

import type { Command } from "commander";
import type { ItemView, StandingFinding, StatusView } from "../../api/types.ts";
import type { WallMs } from "../../core/time.ts";
import { shown, type WatchOption, withWatch } from "../again.ts";
import { wallClock } from "../clock.ts";
import type { MakeContext } from "../context.ts";
import { shortDuration } from "../output.ts";
import { healthColored } from "../terminal.ts";
import { wrapped } from "../wrap.ts";

export function addStatus(program: Command, context: MakeContext): void {
  const command = program
    .command("status")
    .description("Health of this node's daemon, what is wrong, and what to do about it");
  withWatch(command).action(async (options: WatchOption, command: Command) => {
    const { client, show, exitWith } = context(command);
    const ask = async (): Promise<void> => {
      const answer = await client.get("/v1/status");
      show(answer, (view) => statusText(view, wallClock()));
      exitWith(answer.item.health === "ok" ? 0 : 1);
    };
    await shown(ask, options);
  });
}

/** Health first; every line that is not green has its cause and what to do. */
export function statusText({ item }: ItemView<StatusView>, now: WallMs): string {
  const { api, leader, config, vips, peers } = item;
  const contact =
    api.lastContactSecondsAgo === null
      ? "never reached since the start"
      : `last heard ${shortDuration(api.lastContactSecondsAgo)} ago`;
  const reach = api.reachable ? "reachable" : "NOT reachable";
  const lines = [
    `health    ${healthColored(item.health, item.health)}`,
    ...item.findings.flatMap((finding) => findingLines(finding, now)),
    ...line("node", `${item.node}, lbd ${item.version}, up ${shortDuration(item.uptimeSeconds)}`),
    ...line("peers", `${peers.heard} of ${count(peers.known, "other node")} heard`),
    ...line("api", `${api.server || "no server known"}, ${reach}, ${contact}`),
    ...(item.holdover ? line("holdover", "failover goes on without the Kubernetes API") : []),
    ...line("leader", `${leader.node ?? "none"}${leader.isThisNode ? " (this node)" : ""}`),
    ...line(
      "config",
      `${config.valid ? "valid" : "INVALID, the last valid one is in use"}: ` +
        `${count(config.pools, "pool")}, ${count(config.advertisements, "advertisement")}`,
    ),
    ...line(
      "vips",
      `${vips.total} in the cluster, ${vips.ownedHere} owned here, ` +
        `${vips.withoutOwner} without an owner`,
    ),
  ];
  return `${lines.join("\n")}\n`;
}

function findingLines(finding: StandingFinding, now: WallMs): string[] {
  const { health, what, cause, next, since } = finding;
  const seconds = Math.max(0, (now - Date.parse(since)) / 1_000);
  const kind = health === "ok" ? "note" : health;
  const [first = "", ...rest] = folded(`${kind}: ${what} (for ${shortDuration(seconds)})`, "  ");
  return [
    first.replace(kind, healthColored(kind, health)),
    ...rest,
    ...folded(`cause: ${cause}`, "    ", "           "),
    ...folded(`next:  ${next}`, "    ", "           "),
  ];
}

function line(name: string, text: string): string[] {
  return folded(text, name.padEnd(10), " ".repeat(10));
}

/** For people; who reads a pipe looks for whole sentences. */
function folded(text: string, indent: string, more?: string): string[] {
  return process.stdout.isTTY ? wrapped(text, indent, more) : [indent + text];
}

function count(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? "" : "s"}`;
}

// lbctl bgp: with whom this node speaks BGP, and what it says.

import type { Command } from "commander";
import type { BgpPeerView, BgpRouteView } from "../../api/types.ts";
import type { MakeContext } from "../context.ts";
import { NODE_FILE } from "../node-settings.ts";
import { formatTable } from "../table.ts";
import type { WithdrawOptions, WithdrawView } from "../withdraw.ts";

export function addBgp(program: Command, context: MakeContext): void {
  const bgp = program.command("bgp").description("BGP sessions and routes of this node");
  bgp
    .command("peers")
    .description("BGPPeers of this node, and how their sessions are")
    .action(async (_options: unknown, command: Command) => {
      const { client, show } = context(command);
      show(await client.get("/v1/bgp/peers"), ({ items }) => peersText(items));
    });
  bgp
    .command("routes")
    .description("What this node announces, to whom, and how")
    .action(async (_options: unknown, command: Command) => {
      const { client, show } = context(command);
      show(await client.get("/v1/bgp/routes"), ({ items }) => routesText(items));
    });
  bgp
    .command("withdraw")
    .description("Take all that is lbd's out of FRR, while the daemon does not run")
    .option("--when-gone", "wait first for as long as the node file says (bgp)")
    .option("--config <file>", "the node file", NODE_FILE)
    .addHelpText("after", WITHDRAW_HELP)
    .action(async (options: WithdrawOptions, command: Command) => {
      const { client, show } = context(command);
      const { withdraw } = await import("../withdraw.ts");
      show({ item: await withdraw(options, client) }, ({ item }) => `${DONE[item.why]}\n`);
    });
}

const WITHDRAW_HELP = `
Routers learn within a moment that this node announces nothing any more. While
the daemon runs it is refused: lbctl drain --force takes its routes back.
lbd-withdraw.service runs this with --when-gone whenever the daemon ends.
Exit status: 0 done, 5 refused.`;
const DONE: Readonly<Record<WithdrawView["why"], string>> = {
  withdrawn: "FRR announces nothing of lbd any more.",
  "nothing-there": "FRR has nothing of lbd.",
  kept: "Nothing was changed: the daemon is back, or the node file says to keep the routes.",
};

function peersText(items: readonly BgpPeerView[]): string {
  if (items.length === 0) return "No BGPPeer selects this node.\n";
  const table = formatTable(items, [
    { title: "PEER", value: (one) => one.peer },
    {
      title: "NEIGHBOR",
      value: (one) => (one.vrf === "" ? one.neighbor : `${one.neighbor}%${one.vrf}`),
    },
    { title: "AS", value: (one) => one.asn ?? "-" },
    { title: "STATE", value: (one) => one.state },
    { title: "UP", value: (one) => upText(one.upSeconds) },
    { title: "BFD", value: (one) => one.bfd ?? "-" },
    { title: "SENT", value: (one) => one.sent },
    { title: "ACCEPTED", value: (one) => one.received },
  ]);
  const problems = items.flatMap(({ peer, problem }) =>
    problem === null ? [] : [`${peer}: ${problem}\n`],
  );
  return problems.length === 0 ? table : `${table}\n${problems.join("")}`;
}

function routesText(items: readonly BgpRouteView[]): string {
  if (items.length === 0) return "This node announces nothing by BGP.\n";
  return formatTable(items, [
    { title: "PREFIX", value: (one) => one.prefix },
    { title: "SERVICES", value: (one) => one.services.join(",") || "-" },
    { title: "ADVERTISED BY", value: (one) => one.advertisements.join(",") },
    { title: "TO", value: (one) => one.peers.map(toText).join(" ") },
  ]);
}

function toText({ peer, communities, localPref }: BgpRouteView["peers"][number]): string {
  const about = [...communities, ...(localPref === 0 ? [] : [`localPref ${localPref}`])];
  return about.length === 0 ? peer : `${peer}(${about.join(" ")})`;
}

function upText(seconds: number | null): string {
  if (seconds === null) return "-";
  const [days, hours] = [Math.floor(seconds / 86_400), Math.floor((seconds % 86_400) / 3_600)];
  const minutes = Math.floor((seconds % 3_600) / 60);
  if (days > 0) return `${days}d${hours}h`;
  return hours > 0 ? `${hours}h${minutes}m` : `${minutes}m${seconds % 60}s`;
}

// A plan for people: the counts first, then each Service that something happens to, with the
// reason beneath it.

import type { ConfigPlanView, PlannedServiceView, ShadowView } from "../api/plan-view.ts";
import type { ItemView } from "../api/types.ts";
import type { TableOptions } from "./output.ts";
import { type Column, formatTable } from "./table.ts";
import { wrapped } from "./wrap.ts";

/** One address of a Service; of its first one, the Service is said. */
interface Row {
  readonly plan: PlannedServiceView;
  readonly index: number;
}

export function configPlanText({ item }: ItemView<ConfigPlanView>, options: TableOptions): string {
  if (!item.valid) return "Not valid: it would not be accepted, and nothing would change\n";
  const head = [summaryText(item), ...objectLines(item)];
  // Those that keep what they have, where they have it, are counted; "wide" shows them, too.
  const shown = item.services.filter((plan) => options.wide || isChanged(plan));
  const table = shown.length === 0 ? "" : `\n${servicesTable(shown, options)}`;
  return `${head.join("\n")}\n${table}`;
}

export function shadowText({ item }: ItemView<ShadowView>, options: TableOptions): string {
  const { vips, services, differences } = item;
  const count = `${vips.length} ${vips.length === 1 ? "address" : "addresses"}`;
  const lines = [`${count}, ${differences} ${differences === 1 ? "difference" : "differences"}`];
  const shown = vips.filter(({ difference }) => options.wide || difference !== null);
  if (shown.length > 0) lines.push("", ...vipsTable(shown));
  const changes = services.length === 0 ? "" : `\n${servicesTable(services, options)}`;
  return `${lines.join("\n")}\n${changes}`;
}

function vipsTable(vips: ShadowView["vips"]): string[] {
  const [header = "", ...lines] = formatTable(vips, [
    { title: "ADDRESS", value: (vip) => vip.address },
    { title: "SERVICES", value: (vip) => vip.services.join(",") },
    { title: "ANSWERS NOW", value: (vip) => vip.answering?.join(",") ?? "not asked yet" },
    { title: "LBD'S CHOICE", value: (vip) => vip.chosen ?? "nobody" },
  ])
    .trimEnd()
    .split("\n");
  const withReasons = lines.flatMap((line, index) => {
    const difference = vips[index]?.difference ?? null;
    return [line, ...(difference === null ? [] : wrapped(difference, "  "))];
  });
  return [header, ...withReasons];
}

function isChanged({ change, announcement }: PlannedServiceView): boolean {
  return (change !== "keeps" && change !== "waits") || announcement !== null;
}

function summaryText({ summary, services }: ConfigPlanView): string {
  const { keeps, moves, loses, gains, waits, announcements } = summary;
  const counts = { keep: keeps, move: moves, lose: loses, gain: gains, wait: waits };
  const said = Object.entries(counts).map(([what, count]) => `${count} ${what}`);
  const all = `${services.length} ${services.length === 1 ? "Service" : "Services"}`;
  const otherwise = announcements === 0 ? "" : `\n${announcements} announced otherwise than now`;
  return `${all}: ${said.join(", ")}${otherwise}`;
}

function objectLines({ objects }: ConfigPlanView): string[] {
  return objects.map(({ object, change }) => `${change.padEnd(9)}  ${object}`);
}

function servicesTable(plans: readonly PlannedServiceView[], { wide }: TableOptions): string {
  const rows = plans.flatMap((plan) => {
    const count = Math.max(plan.before.length, plan.after.length, 1);
    return Array.from({ length: count }, (_, index): Row => ({ plan, index }));
  });
  const owner = (names: readonly (string | null)[], index: number): string =>
    names.length > index ? (names[index] ?? "nobody") : "-";
  const first = (row: Row, text: string): string => (row.index === 0 ? text : " ");
  const columns: Column<Row>[] = [
    { title: "CHANGE", value: (row) => first(row, row.plan.change) },
    { title: "SERVICE", value: (row) => first(row, row.plan.service) },
    { title: "NOW", value: ({ plan, index }) => plan.before[index] ?? "-" },
    { title: "THEN", value: ({ plan, index }) => plan.after[index] ?? "-" },
  ];
  const owners: Column<Row>[] = [
    { title: "OWNER NOW", value: ({ plan, index }) => owner(plan.ownersBefore, index) },
    { title: "OWNER THEN", value: ({ plan, index }) => owner(plan.ownersAfter, index) },
  ];
  const [header = "", ...lines] = formatTable(rows, wide ? [...columns, ...owners] : columns)
    .trimEnd()
    .split("\n");
  const withReasons = lines.flatMap((line, at) => {
    const { plan } = rows[at] as Row;
    const isLast = rows[at + 1]?.plan !== plan;
    const reasons = [plan.why, plan.announcement].filter((reason) => reason !== null);
    return [line, ...(isLast ? reasons.flatMap((reason) => wrapped(reason, "  ")) : [])];
  });
  return `${[header, ...withReasons].join("\n")}\n`;
}

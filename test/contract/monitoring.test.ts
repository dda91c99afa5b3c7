// The alert rules by promtool, and the dashboard: what they ask for is what the daemon tells.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { METRICS } from "../../src/metrics/catalog.ts";
import { provided } from "../lab/provided.ts";
import { tempDir } from "../support/temp-dir.ts";

const FOLDER = join(import.meta.dirname, "../../deploy/monitoring");
const textOf = (name: string): string => readFileSync(join(FOLDER, name), "utf8");

interface Panel {
  readonly title: string;
  readonly gridPos: {
    readonly x: number;
    readonly y: number;
    readonly w: number;
    readonly h: number;
  };
  readonly targets: readonly { readonly expr: string }[];
}

async function promtool(...args: readonly string[]): Promise<string> {
  const program = join(await provided("provide-prometheus.sh"), "promtool");
  return execFileSync(program, args, { encoding: "utf8", cwd: FOLDER, stdio: "pipe" });
}

/** Names of the daemon's metrics, with those that a histogram has. */
const KNOWN = new Set(
  METRICS.flatMap(({ name, type }) =>
    type === "histogram" ? ["_bucket", "_sum", "_count"].map((end) => name + end) : [name],
  ),
);

/** Those that no daemon tells. */
function unknownIn(text: string): string[] {
  const used = text.match(/\b(?:lbd|metallb|process)_[a-z0-9_]+/g) ?? [];
  assert.ok(used.length > 0, text);
  return [...new Set(used)].filter((name) => !KNOWN.has(name));
}

const panels = (JSON.parse(textOf("grafana-dashboard.json")) as { panels: Panel[] }).panels;

test("promtool finds nothing wrong with the rules", async () => {
  assert.match(await promtool("check", "rules", "lbd.rules.yaml"), /SUCCESS: 12 rules found/);
});

test("each alert fires for what it is about, and for nothing else", async () => {
  assert.match(await promtool("test", "rules", "lbd.rules.test.yaml"), /SUCCESS/);
  const alerts = [...textOf("lbd.rules.yaml").matchAll(/- alert: (\w+)/g)].map(([, name]) => name);
  const tested = textOf("lbd.rules.test.yaml");
  for (const alert of alerts) {
    const times = tested.split(`alertname: ${alert}`).length - 1;
    assert.ok(times >= 2, `${alert}: fires, and does not`);
  }
});

test("the rules ask for metrics that the daemon has", () => {
  assert.deepEqual(unknownIn(textOf("lbd.rules.yaml").replace(/Lbd\w+/g, "")), []);
});

for (const { title, targets } of panels) {
  test(`the panel "${title}" asks for metrics that the daemon has`, () => {
    for (const { expr } of targets) assert.deepEqual(unknownIn(expr), [], expr);
  });
}

test("the panels ask in valid PromQL", async (t) => {
  const queries = panels.flatMap(({ targets }) => targets.map(({ expr }) => expr));
  const rules = queries.map((expr, index) => ({
    record: `panel:${index}`,
    expr: expr.replaceAll("$__rate_interval", "5m").replaceAll("$job", ".*"),
  }));
  const file = join(tempDir(t), "panels.yaml");
  writeFileSync(file, JSON.stringify({ groups: [{ name: "panels", rules }] }));
  assert.match(await promtool("check", "rules", file), new RegExp(`${rules.length} rules found`));
});

test("the panels of the dashboard do not lie on each other", () => {
  const cells = panels.flatMap(({ title, gridPos: { x, y, w, h } }) => {
    assert.ok(x + w <= 24, title);
    return Array.from({ length: w * h }, (_, n) => `${x + (n % w)} ${y + Math.floor(n / w)}`);
  });
  assert.equal(new Set(cells).size, cells.length);
});

// docs/metrics.md and the metrics of the daemon say the same.

import assert from "node:assert/strict";
import test from "node:test";
import { METRICS } from "../../src/metrics/catalog.ts";
import { textOf } from "./support/files.ts";

const PAGE = textOf("docs/metrics.md");
const ROW = /^\| `([a-z0-9_]+)` \| (\w+) \| ([\w, ]*?) ?\| (\w+) \| (.+) \|$/gm;
const SOURCES: Readonly<Record<string, string>> = { metallb: "MetalLB", lbd: "lbd" };

test("docs/metrics.md lists every metric with its type, labels and source, in their order", () => {
  const written = [...PAGE.matchAll(ROW)].map(([, name, type, labels = "", source]) => ({
    ...{ name, type, source },
    labels: labels.split(", ").filter((label) => label !== ""),
  }));
  const served = METRICS.map(({ name, type, labels }) => ({
    ...{ name, type, labels },
    source: SOURCES[name.split("_")[0] ?? ""] ?? "process",
  }));
  assert.deepEqual(written, served);
});

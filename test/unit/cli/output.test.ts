// Tests of how lbctl writes an answer: tables, the formats, and lengths of time.

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { parse } from "yaml";
import type { Format } from "../../../src/cli/output.ts";
import { FORMATS, render, shortDuration } from "../../../src/cli/output.ts";
import type { Column } from "../../../src/cli/table.ts";
import { formatTable } from "../../../src/cli/table.ts";

interface Fruit {
  readonly name: string;
  readonly count: number;
}

const COLUMNS: readonly Column<Fruit>[] = [
  { title: "NAME", value: (fruit) => fruit.name },
  { title: "N", value: (fruit) => fruit.count },
  { title: "AGAIN", value: (fruit) => fruit.name },
];

const TABLES: readonly (readonly [name: string, rows: readonly Fruit[], text: string])[] = [
  ["no row", [], "none\n"],
  ["an empty cell", [{ name: "", count: 0 }], "NAME  N  AGAIN\n-     0  -\n"],
  ["cells narrower than titles", [{ name: "fig", count: 1 }], "NAME  N  AGAIN\nfig   1  fig\n"],
  [
    "cells wider than titles, and no space at the end of a line",
    [
      { name: "blackberry", count: 12_345 },
      { name: "fig", count: 7 },
    ],
    "NAME        N      AGAIN\nblackberry  12345  blackberry\nfig         7      fig\n",
  ],
];

for (const [name, rows, text] of TABLES) {
  test(`formatTable() ${name}`, () => {
    assert.equal(formatTable(rows, COLUMNS), text);
  });
}

test("formatTable() starts each column at one place, whatever the cells", () => {
  const cell = fc.stringMatching(/^[a-z0-9/.:]{0,20}$/);
  const anyRow = fc.record({ name: cell, count: fc.nat() });
  const property = fc.property(fc.array(anyRow, { minLength: 1, maxLength: 8 }), (rows) => {
    const [header = "", ...lines] = formatTable(rows, COLUMNS).trimEnd().split("\n");
    assert.equal(lines.length, rows.length);
    const [second, third] = [header.indexOf("N", 4), header.indexOf("AGAIN")];
    for (const [index, line] of lines.entries()) {
      const shown = rows[index]?.name || "-";
      assert.equal(line.slice(0, second), shown.padEnd(second));
      assert.equal(line.slice(second, third).trimEnd(), String(rows[index]?.count));
      assert.equal(line.slice(third), shown);
    }
  });
  fc.assert(property);
});

const ANSWER = { schema: "lbd/v1", items: [{ address: "10.0.0.1", owner: null, epoch: 3 }] };

const RENDERED: Readonly<Record<Format, string>> = {
  table: "1 item\n",
  wide: "1 item, wide\n",
  json: `{
  "schema": "lbd/v1",
  "items": [
    {
      "address": "10.0.0.1",
      "owner": null,
      "epoch": 3
    }
  ]
}
`,
  yaml: `schema: lbd/v1
items:
  - address: 10.0.0.1
    owner: null
    epoch: 3
`,
};

for (const format of FORMATS) {
  test(`render() writes ${format}`, () => {
    const text = render(ANSWER, format, ({ items }, { wide }) => {
      return `${items.length} item${wide ? ", wide" : ""}\n`;
    });
    assert.equal(text, RENDERED[format]);
  });
}

test("render() keeps texts that look like something else, as JSON and as YAML", () => {
  const odd = ["no", "null", "~", "1e3", "0x10", "2026-01-02", "", " a ", "a: b", "# c", "- d"];
  const anyText = fc.oneof(fc.constantFrom(...odd), fc.string({ unit: "binary" }));
  const property = fc.property(fc.array(anyText), (items) => {
    const answer = { items, item: Object.fromEntries(items.map((text, i) => [`k${i}`, text])) };
    assert.deepEqual(JSON.parse(render(answer, "json", String)), answer);
    assert.deepEqual(parse(render(answer, "yaml", String)), answer);
  });
  fc.assert(property);
});

const DURATIONS: readonly (readonly [seconds: number, text: string])[] = [
  [0, "0 s"],
  [0.4, "0 s"],
  [119, "119 s"],
  [120, "2 min"],
  [7_199, "2 h"],
  [7_200, "2 h"],
  [172_799, "48 h"],
  [172_800, "2 d"],
  [31_536_000, "365 d"],
];

for (const [seconds, text] of DURATIONS) {
  test(`shortDuration() of ${seconds} s is "${text}"`, () => {
    assert.equal(shortDuration(seconds), text);
  });
}

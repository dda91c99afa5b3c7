// The pages that are made from the code are as the code has them, and the log's events are those of
// their catalogue.

import assert from "node:assert/strict";
import { test } from "node:test";
import { generatedDocs } from "../../scripts/generated-docs.ts";
import { LOG_EVENTS } from "../../src/daemon/log-events.ts";
import { filesLike, textOf } from "./support/files.ts";

for (const [path, text] of Object.entries(generatedDocs())) {
  test(`${path} is as "make docs" writes it`, () => assert.equal(textOf(path), text));
}

test("the log has the events of the catalogue, and no others", () => {
  const texts = filesLike("src/daemon/*.ts").filter((path) => !path.endsWith("log-events.ts"));
  const used = texts.flatMap((path) =>
    [...textOf(path).matchAll(/\bevent: "([a-z-]+)"/g)].map(([, event]) => event),
  );
  assert.deepEqual([...new Set(used)].toSorted(), Object.keys(LOG_EVENTS).toSorted());
});

test("the log has each event with the fields of the catalogue", () => {
  const all = filesLike("src/daemon/*.ts").map(textOf).join("\n");
  for (const [event, { fields }] of Object.entries(LOG_EVENTS)) {
    const found = new RegExp(`\\{ event: "${event}"([^}]*)\\}`).exec(all)?.[1] ?? "";
    const written = found.split(",").map((part) => part.split(":")[0]?.trim() ?? "");
    const spread = found.includes("...");
    const named = written.filter((name) => name !== "" && !name.startsWith("..."));
    const unknown = named.filter((name) => !(fields as readonly string[]).includes(name));
    assert.deepEqual(unknown, [], event);
    if (!spread)
      assert.deepEqual(
        fields.filter((field) => !named.includes(field)),
        [],
        event,
      );
  }
});

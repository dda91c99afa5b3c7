// Tests of the namespaces that the daemon knows, and of when it says that they are others.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Namespaces } from "../../../src/daemon/namespaces.ts";
import { withLabels } from "../../support/kubernetes-objects.ts";

function watched() {
  const state = { changes: 0 };
  const namespaces = new Namespaces(() => {
    state.changes += 1;
  });
  const known = () => JSON.stringify(Object.fromEntries(namespaces.labels ?? [["none", {}]]));
  const changes = (): number => {
    const { changes: count } = state;
    state.changes = 0;
    return count;
  };
  return { sink: namespaces.sink(), known, changes };
}

test("Namespaces knows nothing before the list, which may be empty", () => {
  const { sink, known, changes } = watched();
  assert.equal(known(), '{"none":{}}');
  sink.replace([]);
  assert.deepEqual([known(), changes()], ["{}", 1]);
});

test("Namespaces tells of labels that change, of what comes and what goes", () => {
  const { sink, known, changes } = watched();
  const red = withLabels("a", { team: "red" });
  sink.replace([red, withLabels("b")]);
  assert.deepEqual([known(), changes()], ['{"a":{"team":"red"},"b":{}}', 1]);
  sink.upsert(red);
  sink.replace([red, withLabels("b")]);
  assert.equal(changes(), 0, "the same again");
  sink.upsert(withLabels("a", { team: "blue" }));
  assert.deepEqual([known(), changes()], ['{"a":{"team":"blue"},"b":{}}', 1]);
  sink.upsert(withLabels("a", { team: "blue", tier: "x" }));
  assert.equal(changes(), 1, "one label more");
  sink.remove(withLabels("b"));
  sink.remove(withLabels("b"));
  assert.equal(changes(), 1);
  sink.replace([]);
  assert.deepEqual([known(), changes()], ["{}", 1]);
});

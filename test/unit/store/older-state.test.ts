// The state file that an older lbd left on a node of the lab, at the second of the schemas
// (test/support/older): this lbd goes on with what is in it.

import assert from "node:assert/strict";
import { copyFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { wallMs } from "../../../src/core/time.ts";
import { MIGRATIONS } from "../../../src/store/migrations.ts";
import { Store } from "../../../src/store/store.ts";
import { storedSchema } from "../../../src/store/stored-schema.ts";
import { tempDir } from "../../support/temp-dir.ts";

const OLDER = join(import.meta.dirname, "../../support/older/state-schema-2.db");

test("an older lbd's state file is brought up to date with all that is in it", (t) => {
  const path = join(tempDir(t), "state.db");
  copyFileSync(OLDER, path);
  assert.equal(storedSchema(path), 2);
  const store = Store.open(path, wallMs(Date.UTC(2027, 0, 1)));
  t.after(() => store.close());
  assert.equal(store.notice, null);
  assert.equal(storedSchema(path), MIGRATIONS.length);
  assert.deepEqual(store.allocations(), [
    { address: "192.168.100.50", service: "default/web", pool: "lan" },
    { address: "192.168.100.51", service: "default/dns", pool: "lan" },
  ]);
  const tenures = store.tenures().map(({ address, epoch }) => `${address} ${epoch}`);
  assert.deepEqual(tenures, ["192.168.100.50 1", "192.168.100.51 1", "192.168.100.52 1"]);
  const causes = store.history({ limit: 10 }).map(({ change, cause }) => `${change} ${cause}`);
  assert.deepEqual(causes, [
    ...["lost stopping", "lost stopping", "lost address-freed"],
    ...["gained unheld", "gained unheld", "gained unheld"],
  ]);
  assert.deepEqual([...store.snapshot("pool").keys()], ["metallb-system/lan"]);
  const services = ["default/dns", "default/kubernetes", "default/web"];
  assert.deepEqual([...store.snapshot("service").keys()], services);
  // What a daemon begins with before it reaches the API, under the names it reads today.
  assert.equal(store.setting("beacon-keys")?.length, 32);
  assert.match(Buffer.from(store.setting("cluster-uid") ?? []).toString(), /^[0-9a-f-]{36}$/);
  assert.match(Buffer.from(store.setting("incarnation") ?? []).toString(), /^\d+$/);
  assert.deepEqual(store.freed(), []);
});

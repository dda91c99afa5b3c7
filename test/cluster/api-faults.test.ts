// Whole daemons against an API server that answers nonsense: each kind is told in the status in its
// own words, with what to do, and the address is answered for all the while.

import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { proxiedClusterForSuite } from "./support/proxied-cluster.ts";

const ADDRESS = "192.168.100.50";

/** Fault, what the status says, and what it says to do. */
const FAULTS: readonly (readonly [string, RegExp, RegExp])[] = [
  ["html", /not from a Kubernetes API server: "Log in to the hotel/, /look at the API server/],
  ["unauthorized", /401|unauthorized|credentials/i, /renew the credentials/],
  ["forbidden", /403|forbidden|not allowed/i, /kubectl apply -f deploy\/rbac\.yaml/],
  ["throttled", /429|too many|busy/i, /look at the API server/],
  ["error", /500|InternalError/i, /look at the API server/],
  ["truncated", /cut|truncated|ended|broke/i, /look at the API server/],
  ["silence", /within|timed out|no answer|timeout/i, /look at the API server/],
];

describe("an API server that answers nonsense", () => {
  const proxied = proxiedClusterForSuite({ nodes: 2 });
  let owner = "";

  before(async () => {
    const { cluster } = proxied();
    await cluster.createService("web");
    await cluster.addressOf("web");
    owner = await cluster.untilAnswering(ADDRESS);
  });

  for (const [fault, words, advice] of FAULTS) {
    test(`"${fault}" is told in words, silences nobody, and is survived`, async () => {
      const { cluster } = proxied();
      proxied().setFault(fault);
      const status = await cluster.untilStatus(cluster.daemon(owner), words, 20_000);
      assert.match(status, advice);
      assert.match(status, /what was last read is in use/);
      assert.equal(await cluster.untilAnswering(ADDRESS), owner);
      proxied().setFault("");
      await cluster.untilStatus(cluster.daemon(owner), /health +ok/, 30_000);
      assert.equal(await cluster.untilAnswering(ADDRESS), owner);
    });
  }
});

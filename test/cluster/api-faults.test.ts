// Whole daemons against an API server that answers nonsense: each kind is told in the status in its
// own words, with what to do, and the address is answered for all the while.

import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { ControlPlane } from "../lab/control-plane.ts";
import { labForSuite } from "../lab/for-test.ts";
import { ADVERTISEMENT, DaemonCluster, POOL } from "./support/daemon-cluster.ts";

const ADDRESS = "192.168.100.50";
const PROXY_PORT = 7443;

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
  let cluster: DaemonCluster;
  let faultFile = "";
  let owner = "";

  labForSuite({ nodes: 2 }, async (lab) => {
    const controlPlane = await ControlPlane.start(lab);
    await controlPlane.registerNodes();
    await controlPlane.installLbd();
    faultFile = join(lab.folder, "fault");
    writeFileSync(faultFile, "");
    const pki = join(lab.apiHost.folder, "pki");
    const files = [join(pki, "serving.crt"), join(pki, "serving.key")];
    const program = join(import.meta.dirname, "support/fault-proxy.ts");
    const address = lab.apiHost.address("management");
    const argv = [String(PROXY_PORT), ...files, `${address}:6443`, faultFile];
    const proxy = lab.apiHost.spawn("fault-proxy", [process.execPath, program, ...argv]);
    await proxy.waitForOutput(/listening/);
    const server = `https://${address}:${PROXY_PORT}`;
    const account = await controlPlane.serviceAccountKubeconfig("lbd-system", "lbd", { server });
    cluster = new DaemonCluster(lab, controlPlane, account);
    await controlPlane.apply(POOL);
    await controlPlane.apply(ADVERTISEMENT);
    await Promise.all(lab.nodes.map((node) => cluster.start(node)));
    await cluster.createService("web");
    await cluster.addressOf("web");
    owner = await cluster.untilAnswering(ADDRESS);
  });

  for (const [fault, words, advice] of FAULTS) {
    test(`"${fault}" is told in words, silences nobody, and is survived`, async () => {
      writeFileSync(faultFile, fault);
      const status = await cluster.untilStatus(cluster.daemon(owner), words, 20_000);
      assert.match(status, advice);
      assert.match(status, /what was last read is in use/);
      assert.equal(await cluster.untilAnswering(ADDRESS), owner);
      writeFileSync(faultFile, "");
      await cluster.untilStatus(cluster.daemon(owner), /health +ok/, 30_000);
      assert.equal(await cluster.untilAnswering(ADDRESS), owner);
    });
  }
});

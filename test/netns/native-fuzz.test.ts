// The garbage that `make check-native` feeds to the addon under the sanitizers, fed to the addon as
// it is shipped: a crash ends the child. In a network namespace that ends with it.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const PROGRAM = fileURLToPath(new URL("../support/native-fuzz.ts", import.meta.url));
const TIMEOUT_MS = 60_000;

/** /sys shows the interfaces of the namespace that it was mounted in. */
const SPACE = `
mount -t sysfs sysfs /sys
ip link add fuzz0 mtu 9216 type veth peer name fuzz1 mtu 9216
for name in lo fuzz0 fuzz1; do ip link set "$name" up; done
exec "$@"
`;

test("the addon takes 30,000 calls with garbage, and ends of threads, without a crash", () => {
  const program = [process.execPath, "--expose-gc", PROGRAM];
  const argv = ["--net", "--mount", "sh", "-ec", SPACE, "sh", ...program];
  const child = spawnSync("unshare", argv, { encoding: "utf8", timeout: TIMEOUT_MS });
  assert.deepEqual([child.status, child.signal], [0, null], child.stdout + child.stderr);
  assert.match(child.stdout, /garbage: 30000 calls, \d+ refused/);
  assert.match(child.stdout, /native fuzz: done/);
});

// A service that, on SIGTERM, writes down what stopReason() says and after how many milliseconds,
// a line of JSON in the file that is named, and ends.

import { appendFileSync } from "node:fs";
import { stopReason } from "../../../src/daemon/service-manager.ts";
import { systemClock as clock } from "../../../src/daemon/system-clock.ts";
import { SystemdTask } from "../../../src/daemon/systemd-task.ts";

const [file = ""] = process.argv.slice(2);
let count = 0;
const systemd = new SystemdTask({ status: () => "waits", progress: () => [++count], clock });

process.on("SIGTERM", async () => {
  const startedAt = performance.now();
  const reason = await stopReason();
  const ms = Math.round(performance.now() - startedAt);
  appendFileSync(file, `${JSON.stringify({ reason, ms })}\n`);
  process.exit(0);
});

systemd.tellReady();
await systemd.run(new AbortController().signal);

// Opens a store in a process of its own: `hold` keeps it open, `write` writes until it is killed.
// Says on stdout how far it is; a failure to open is told by the exit status and stderr.

import { AppError } from "../../src/core/errors.ts";
import { wallMs } from "../../src/core/time.ts";
import { Store } from "../../src/store/store.ts";

const [mode = "", path = ""] = process.argv.slice(2);

try {
  const store = Store.open(path, wallMs(0));
  process.stdout.write("open\n");
  if (mode === "write") write(store);
  else process.stdin.resume();
} catch (thrown) {
  process.stderr.write(`${thrown instanceof AppError ? thrown.code : "?"}: ${String(thrown)}\n`);
  process.exitCode = thrown instanceof AppError ? thrown.exitStatus : 1;
}

/** Each row of history comes with its tenure, in one transaction. */
function write(store: Store): void {
  for (let epoch = 1; ; epoch++) {
    const row = { at: wallMs(epoch), address: "10.0.0.1", node: "n1", epoch };
    store.recordChange({ ...row, change: "gained", cause: "unheld", detail: "x".repeat(500) });
    if (epoch % 50 === 0) process.stdout.write(`${epoch}\n`);
  }
}

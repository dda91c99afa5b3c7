// A daemon that was told to stop before it runs; says when it has ended. Arguments: its node file.

import { Daemon } from "../../src/daemon/daemon.ts";
import { loadNodeFile } from "../../src/daemon/load-node-file.ts";
import { createLogger } from "../../src/daemon/logger.ts";

const file = loadNodeFile(process.argv[2] ?? "", "n1");
await new Daemon(file, createLogger("silent", {})).run(AbortSignal.abort("stop"));
process.stdout.write("ended\n");
process.exit();

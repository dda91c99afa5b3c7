// Entry of the responder thread. JSON, SQLite and garbage of the control side live on the main
// thread; nothing of them may delay an answer here.

import { parentPort } from "node:worker_threads";
import { setRealtimePriority } from "../../native/index.ts";
import { openArpSocket } from "../arp/packet-socket.ts";
import { invariant } from "../core/invariant.ts";
import { ResponderLoop } from "./responder-loop.ts";
import type { FromResponder, ToResponder } from "./responder-messages.ts";
import { systemClock } from "./system-clock.ts";

/** SCHED_FIFO priority: above ordinary threads, below the kernel's own (50). */
const REALTIME_PRIORITY = 10;

invariant(parentPort !== null, "the responder runs in a worker thread");
const port = parentPort;
let timer: NodeJS.Timeout | undefined;

const loop = new ResponderLoop({
  openSocket: openArpSocket,
  now: () => systemClock.boot(),
  post: (message: FromResponder) => port.postMessage(message),
  wakeIn: (milliseconds) => {
    clearTimeout(timer);
    timer = milliseconds === null ? undefined : setTimeout(() => loop.wake(), milliseconds);
  },
});

port.on("message", (message: ToResponder) => {
  loop.receive(message);
  if (message.type === "stop") port.close();
});
const realtime = setRealtimePriority(REALTIME_PRIORITY);
port.postMessage({ type: "ready", realtime } satisfies FromResponder);

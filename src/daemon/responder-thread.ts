// Entry of the responder thread. JSON, SQLite and garbage of the control side live on the main
// thread; nothing of them may delay an answer or a beacon here.

import { createHash, createHmac } from "node:crypto";
import { parentPort, workerData } from "node:worker_threads";
import { setRealtimePriority } from "../../native/index.ts";
import { openFrameSocket } from "../answering/frame-socket.ts";
import { BeaconEngine } from "../beacon/engine.ts";
import { BeaconSocket } from "../beacon/socket.ts";
import { invariant } from "../core/invariant.ts";
import { SolicitedNodeGroups } from "../ndp/groups.ts";
import { LoopDelay } from "./loop-delay.ts";
import { ResponderLoop } from "./responder-loop.ts";
import type { FromResponder, ResponderStart, ToResponder } from "./responder-messages.ts";
import { systemClock } from "./system-clock.ts";

/** SCHED_FIFO priority: above ordinary threads, below the kernel's own (50). */
const REALTIME_PRIORITY = 10;

invariant(parentPort !== null, "the responder runs in a worker thread");
const port = parentPort;
const start = workerData as ResponderStart;
const loopDelay = new LoopDelay();
let timer: NodeJS.Timeout | undefined;

const beacons = new BeaconSocket({
  port: start.port,
  onDatagram: (datagram) => loop.onDatagram(datagram),
  onProblem: (interfaceName, message) => loop.onBeaconProblem(interfaceName, message),
});

const loop = new ResponderLoop({
  engine: new BeaconEngine({
    node: start.node,
    incarnation: start.incarnation,
    settings: start.settings,
    hmac: (key, data) => createHmac("sha256", key).update(data).digest(),
    sha256: (text) => createHash("sha256").update(text).digest("hex"),
  }),
  beacons,
  groups: new SolicitedNodeGroups(),
  openSocket: openFrameSocket,
  now: () => systemClock.boot(),
  takeLoopDelays: () => loopDelay.take(),
  post: (message: FromResponder) => port.postMessage(message),
  wakeIn: (milliseconds) => {
    clearTimeout(timer);
    timer = milliseconds === null ? undefined : setTimeout(() => loop.wake(), milliseconds);
  },
});

port.on("message", (messages: readonly ToResponder[]) => {
  loop.receive(...messages);
  if (messages.some(({ type }) => type === "stop")) port.close();
});
beacons.open();
loopDelay.start();
const realtime = setRealtimePriority(REALTIME_PRIORITY);
port.postMessage({ type: "ready", realtime } satisfies FromResponder);

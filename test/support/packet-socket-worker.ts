// A worker thread with an ARP socket, for test/netns/packet-socket.test.ts. It never closes the
// socket: ending the thread must do that.

import { parentPort, workerData } from "node:worker_threads";
import { openFrameSocket } from "../../src/answering/frame-socket.ts";
import { ARP } from "../../src/arp/protocol.ts";

openFrameSocket({
  protocol: ARP,
  interfaceIndex: workerData.interfaceIndex,
  ranges: workerData.ranges,
  onFrames: (batch) => parentPort?.postMessage(batch.count),
  onError: (error) => {
    throw error;
  },
});
parentPort?.postMessage("open");

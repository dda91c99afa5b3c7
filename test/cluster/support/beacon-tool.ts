// A program for a host of the lab that is no node: `record <own address> <count>` prints datagrams
// that it hears in the beacons' group, one a line: the source's address, the bytes in hexadecimal.
// `send <own address> <source>` sends those of its input, one a line in hexadecimal, to the group.

import { createSocket } from "node:dgram";
import { readFileSync } from "node:fs";
import { BEACON_GROUP } from "../../../src/beacon/link-local.ts";
import { BEACON_PORT } from "../../../src/beacon/socket.ts";

const [mode = "", ownAddress = "", argument = ""] = process.argv.slice(2);
const socket = createSocket({ type: "udp4", reuseAddr: true });

function record(count: number): void {
  let heard = 0;
  socket.on("message", (bytes, { address }) => {
    if (heard++ >= count) return;
    console.log(`${address} ${bytes.toString("hex")}`);
    if (heard === count) socket.close();
  });
  socket.bind(BEACON_PORT, "0.0.0.0", () => socket.addMembership(BEACON_GROUP, ownAddress));
}

function send(source: string): void {
  const lines = readFileSync(0, "utf8").split("\n").filter(Boolean);
  socket.bind(0, source, async () => {
    socket.setMulticastInterface(ownAddress);
    for (const line of lines) {
      const bytes = Buffer.from(line, "hex");
      await new Promise<void>((resolve, reject) => {
        const done = (error: Error | null): void => (error === null ? resolve() : reject(error));
        socket.send(bytes, BEACON_PORT, BEACON_GROUP, done);
      });
    }
    socket.close();
  });
}

if (mode === "record") record(Number(argument));
else send(argument);

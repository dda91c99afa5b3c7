// The UDP server behind a Service of the lab: `node udp-echo-server.ts <port>`. It answers each
// datagram with the address that it came from, that of the node which forwarded it, and what was in
// it.

import { createSocket } from "node:dgram";

const [port = ""] = process.argv.slice(2);

const socket = createSocket("udp4");
socket.on("message", (message, { address, port: from }) =>
  socket.send(`${address} ${message}`, from, address),
);
socket.bind(Number(port), () => console.log(`listening on ${port}`));

// The half of loopback.ts inside the lab: `node loopback-relay.ts <unix socket> <port>` forwards
// the socket's connections to the port on 127.0.0.1 of its namespace.

import { createServer } from "node:net";
import { forwardTo } from "./loopback-forward.ts";

const [path = "", port = ""] = process.argv.slice(2);
const server = createServer((socket) =>
  forwardTo(socket, { host: "127.0.0.1", port: Number(port) }),
);
server.listen(path, () => console.log("listening"));

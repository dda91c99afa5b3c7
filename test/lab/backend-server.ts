// The HTTP server in a pod of the lab: `node backend-server.ts <pod name> <port>`. `/` answers with
// the pod's name and the address the request came from; `/stream` sends a numbered line every 10 ms
// for as long as the client listens, so that a broken or stalled connection can be seen; `/echo`
// answers with what it is sent, as it comes.

import { createServer } from "node:http";
import { setRealtimePriority } from "../../native/index.ts";

const STREAM_INTERVAL_MS = 10;

// Below lbd's own: a busy machine must not look like a connection that stalls. Where it is refused,
// as in a container, it may.
setRealtimePriority(1);

const [podName = "", portText = ""] = process.argv.slice(2);

const server = createServer((request, response) => {
  if (request.url === "/echo") {
    response.writeHead(200).flushHeaders();
    request.pipe(response);
    return;
  }
  if (request.url !== "/stream") {
    const client = request.socket.remoteAddress?.replace(/^::ffff:/, "");
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify({ pod: podName, client }));
    return;
  }
  let number = 0;
  const timer = setInterval(() => response.write(`${podName} ${number++}\n`), STREAM_INTERVAL_MS);
  response.on("close", () => clearInterval(timer));
});

server.listen(Number(portText), "::", () => console.log(`listening on ${portText}`));

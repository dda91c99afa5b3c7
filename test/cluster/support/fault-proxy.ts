// A program: an HTTPS server in front of the real API server that passes everything on, until the
// file given (the last argument) says otherwise: the name of a fault; `lost-answers PREFIX`: what
// is written to Leases with such names arrives, and its answer does not; `late-statuses HOST`: what
// the host writes to statuses of Services is on its way until the fault ends, whatever becomes of
// the host. Prints each of these writes. The client's own tests use the fake API server.

import { existsSync, readFileSync, watchFile } from "node:fs";
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from "node:http";
import { createServer, request } from "node:https";
import { text } from "node:stream/consumers";

const [port = "", certificate = "", key = "", upstream = "", faultFile = ""] =
  process.argv.slice(2);

function status(code: number, reason: string): string {
  const message = `lab says ${reason}`;
  return JSON.stringify({
    kind: "Status",
    apiVersion: "v1",
    status: "Failure",
    reason,
    code,
    message,
  });
}

/** What is answered instead; what is not here is passed on. */
const FAULTS: Readonly<Record<string, (response: ServerResponse) => void>> = {
  html: (response) => {
    response.writeHead(200, { "content-type": "text/html" });
    response.end("<html><body>Log in to the hotel's network</body></html>");
  },
  unauthorized: (response) => response.writeHead(401).end(status(401, "Unauthorized")),
  forbidden: (response) => response.writeHead(403).end(status(403, "Forbidden")),
  throttled: (response) => {
    response.writeHead(429, { "retry-after": "1" }).end(status(429, "TooManyRequests"));
  },
  error: (response) => response.writeHead(500).end(status(500, "InternalError")),
  truncated: (response) => {
    response.writeHead(200, { "content-type": "application/json", "content-length": "100000" });
    response.write('{"kind":"ServiceList","items":[');
    setTimeout(() => response.destroy(), 50);
  },
  silence: () => {},
};

function currentFault(): string {
  return existsSync(faultFile) ? readFileSync(faultFile, "utf8").trim() : "";
}

const open = new Set<ServerResponse>();

function serve(incoming: IncomingMessage, response: ServerResponse): void {
  const fault = FAULTS[currentFault()];
  if (fault !== undefined) return fault(response);
  const [late, host] = currentFault().split(" ");
  const isLate = late === "late-statuses" && isFrom(incoming, host);
  if (isLate && isStatusWrite(incoming)) void passLate(incoming, response);
  else if (isLeaseWrite(incoming)) void passLeaseWrite(incoming, response);
  else passOn(incoming, response);
}

function passOn(incoming: IncomingMessage, response: ServerResponse): void {
  open.add(response);
  response.on("close", () => open.delete(response));
  const { method, url, headers } = incoming;
  const onward = request(
    `https://${upstream}${url}`,
    { method: method ?? "GET", headers, rejectUnauthorized: false },
    (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      response.flushHeaders();
      answer.pipe(response);
    },
  );
  onward.on("error", () => response.destroy());
  response.on("close", () => onward.destroy());
  incoming.pipe(onward);
}

function isLeaseWrite({ method, url }: IncomingMessage): boolean {
  return (method === "PUT" || method === "POST") && /\/leases(\/|$)/.test(url ?? "");
}

function isFrom({ socket }: IncomingMessage, host: string | undefined): boolean {
  return socket.remoteAddress?.replace("::ffff:", "") === host;
}

function isStatusWrite({ method, url }: IncomingMessage): boolean {
  return method === "PATCH" && /\/services\/[^/]+\/status$/.test(url ?? "");
}

interface LateWrite {
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  readonly response: ServerResponse;
}

/** In the order in which they came. */
const late: LateWrite[] = [];

/** As on a way that takes long: who sent it may be gone when it arrives. */
async function passLate(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
  const { url = "", headers } = incoming;
  late.push({ url, headers, body: await text(incoming), response });
  console.log(`status ${serviceOf(url)} late`);
}

function serviceOf(url: string): string {
  return url.split("/").at(-2) ?? "";
}

async function arrive({ url, headers, body, response }: LateWrite): Promise<void> {
  const options = { method: "PATCH", headers, rejectUnauthorized: false };
  await new Promise<void>((resolve) => {
    const onward = request(`https://${upstream}${url}`, options, async (answer) => {
      const answered = await text(answer);
      console.log(`status ${serviceOf(url)} ${answer.statusCode}`);
      if (!response.destroyed) {
        response.writeHead(answer.statusCode ?? 502, answer.headers).end(answered);
      }
      resolve();
    });
    onward.on("error", () => resolve());
    onward.end(body);
  });
}

async function passLeaseWrite(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
  const body = await text(incoming);
  const { name } = (JSON.parse(body) as { metadata: { name: string } }).metadata;
  const [fault, prefix = ""] = currentFault().split(" ");
  const isAnswerLost = fault === "lost-answers" && name.startsWith(prefix);
  const { method = "", url, headers } = incoming;
  const options = { method, headers, rejectUnauthorized: false };
  const onward = request(`https://${upstream}${url}`, options, async (answer) => {
    const answered = await text(answer);
    console.log(`lease ${name} ${method} ${answer.statusCode}${isAnswerLost ? " lost" : ""}`);
    if (isAnswerLost) return void response.destroy();
    response.writeHead(answer.statusCode ?? 502, answer.headers).end(answered);
  });
  onward.on("error", () => response.destroy());
  onward.end(body);
}

/** Lets arrive what was held up, one after the other. */
async function letArrive(): Promise<void> {
  for (const write of late.splice(0)) await arrive(write);
}

// A fault that begins ends the watches that are open, or nobody would notice it.
watchFile(faultFile, { interval: 50 }, () => {
  if (!currentFault().startsWith("late-statuses")) void letArrive();
  if (!(currentFault() in FAULTS)) return;
  for (const response of open) response.destroy();
});
const options = { cert: readFileSync(certificate), key: readFileSync(key) };
createServer(options, serve).listen(Number(port), "0.0.0.0", () => console.log("listening"));

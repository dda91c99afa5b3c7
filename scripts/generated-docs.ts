// The pages of docs/ that are made from the code. As a program it writes them (make docs); a test
// sees to it that they are as they would be written.

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { openApiDocument } from "../src/api/openapi.ts";
import { ERRORS } from "../src/core/errors.ts";
import { LOG_EVENTS } from "../src/daemon/log-events.ts";
import { apiPage } from "./api-page.ts";

const MADE = "<!-- Made from the code by `make docs`: edit it there. -->\n";

const API_HEAD = `# The socket API

HTTP on the unix socket of the daemon, \`/run/lbd/lbd.sock\`. Everything that \`lbctl\` shows
comes from here. Answers are JSON with \`schema\`: within one schema a field is only ever added, so
a reader ignores what it does not know. \`GET /v1/openapi.json\` is the same as an OpenAPI document.

Root and the members of the group \`lbd\` may open the socket; what changes something asks the
kernel who is there, and takes it from root alone. An unknown path, parameter or field is refused
with the status 400 or 404; an error is an object \`error\` with a \`kind\` and a \`message\`. A
body has at most 1.5 MB. Up to 256 readers may follow the events; one that reads too slowly misses
some, and is told how many.
`;

const ERRORS_HEAD = `# Errors

An error of \`lbd\` and \`lbctl\` is one line, "Cannot ...: why", that says what to do. Its code
does not change, and a process that ends because of it has the exit status that belongs to it.
\`lbctl\` ends with 0 when all is well and with 1 for a degraded daemon or a negative answer, in
every format.

| code | exit status | meaning | what to do |
|---|---|---|---|
`;

const EVENTS_HEAD = `# Events in the log

The daemon writes one line of JSON for each change of state, to the journal. Every line has
\`time\`, \`level\` (30 info, 40 warning, 50 error), \`node\`, \`msg\`, and an \`event\` with a name
that does not change:

    journalctl -u lbd -o cat | jq 'select(.event == "owner-change")'

Kubernetes Events on the Services are another thing: \`kubectl describe service\` shows them.

| event | level | meaning | fields |
|---|---|---|---|
`;

function errorsPage(): string {
  const rows = Object.entries(ERRORS).map(
    ([code, { exitStatus, meaning, next }]) =>
      `| \`${code}\` | ${exitStatus} | ${meaning} | ${next} |\n`,
  );
  return `${MADE}${ERRORS_HEAD}${rows.join("")}`;
}

function eventsPage(): string {
  const rows = Object.entries(LOG_EVENTS).map(([event, { level, meaning, fields }]) => {
    const named = fields.map((field) => `\`${field}\``).join(", ");
    return `| \`${event}\` | ${level} | ${meaning} | ${named} |\n`;
  });
  return `${MADE}${EVENTS_HEAD}${rows.join("")}`;
}

/** By path in the repository. */
export function generatedDocs(): Record<string, string> {
  return {
    "docs/api.md": `${MADE}${API_HEAD}\n${apiPage()}`,
    // What a reader may rely on: a field that goes, or changes, is seen here.
    "docs/openapi.json": `${JSON.stringify(openApiDocument(), null, 2)}\n`,
    "docs/errors.md": errorsPage(),
    "docs/events.md": eventsPage(),
  };
}

if (import.meta.main) {
  for (const [path, text] of Object.entries(generatedDocs())) {
    writeFileSync(join(import.meta.dirname, "..", path), text);
    console.log(`wrote ${path}`);
  }
}

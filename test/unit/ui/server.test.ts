// Tests of who may see the status page: whoever has the key, from this host, and no other site.

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, request } from "node:http";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { type TestContext, test } from "node:test";
import { UiServer } from "../../../src/ui/server.ts";
import { serveApi } from "../../support/fake-api-source.ts";
import { tempDir } from "../../support/temp-dir.ts";

const KEY = "a-key-that-nobody-guesses";

interface Asking {
  readonly path?: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Without the cookie. */
  readonly isStranger?: boolean;
}

async function serving(t: TestContext, socketPath?: string) {
  const api = await serveApi(t);
  const server = new UiServer({ port: 0, socketPath: socketPath ?? api.path, key: KEY });
  t.after(() => server.close());
  const url = new URL(await server.listen());
  const ask = async ({ path = "/", method = "GET", headers = {}, isStranger }: Asking = {}) => {
    const cookie = isStranger === true ? {} : { cookie: `other=1; lbd-ui-${url.port}=${KEY}` };
    const outgoing = request({ host: "127.0.0.1", port: url.port, path, method, agent: false });
    const all = { host: url.host, ...cookie, ...headers };
    for (const [name, value] of Object.entries(all)) outgoing.setHeader(name, value);
    outgoing.end();
    const [response] = await once(outgoing, "response");
    const answer = { status: response.statusCode as number, body: await text(response) };
    return { ...answer, headers: response.headers as IncomingHttpHeaders };
  };
  return { api, server, url, ask };
}

test("UiServer takes the key out of the address, and gives a cookie for itself", async (t) => {
  const { url, ask } = await serving(t);
  const { status, headers } = await ask({ path: `${url.pathname}${url.search}`, isStranger: true });
  assert.deepEqual([status, headers.location], [303, "/"]);
  const cookie = `lbd-ui-${url.port}=${KEY}; HttpOnly; SameSite=Strict; Path=/`;
  assert.deepEqual(headers["set-cookie"], [cookie]);
});

test("UiServer serves the page and its files, which may load nothing from elsewhere", async (t) => {
  const { ask } = await serving(t);
  for (const path of ["/", "/page.js", "/view.js", "/model.js", "/page.css"]) {
    const { status, body, headers } = await ask({ path });
    assert.equal(status, 200, path);
    assert.ok(body.length > 500, path);
    assert.match(
      String(headers["content-security-policy"]),
      /^default-src 'none'; script-src 'self'/,
    );
    assert.doesNotMatch(
      body,
      /https?:\/\/|@import|<script>|onclick="/,
      `${path} is from here alone`,
    );
  }
});

test("UiServer passes questions on to the daemon, as they are", async (t) => {
  const { api, ask } = await serving(t);
  const { status, body, headers } = await ask({ path: "/v1/history?limit=7" });
  assert.equal(status, 200);
  assert.equal(headers["content-type"], "application/json");
  assert.ok(Array.isArray(JSON.parse(body).items));
  assert.ok(api.source.asked.includes("history all 7"));
  const refused = await ask({ path: "/v1/history?limit=x" });
  assert.equal(refused.status, 400);
  assert.match(refused.body, /Cannot read \\"limit\\"/);
});

const REFUSED: readonly (readonly [string, Asking, number, RegExp])[] = [
  ["who has no key", { isStranger: true }, 401, /open the address that \\"lbctl ui\\" printed/],
  ["another key", { path: "/?key=guess", isStranger: true }, 401, /not the key/],
  ["a cookie with another key", { headers: { cookie: "lbd-ui-1=x" } }, 401, /open the address/],
  [
    "another name of this host",
    { headers: { host: "evil.test" } },
    403,
    /asked for as \\"evil.test/,
  ],
  ["no name at all", { headers: { host: "" } }, 403, /asked for as/],
  ["a page of another site", { headers: { origin: "https://evil.test" } }, 403, /another site/],
  ["a page of another port", { headers: { origin: "http://127.0.0.1:1" } }, 403, /another site/],
  ["a page without an origin", { headers: { origin: "null" } }, 403, /another site/],
  [
    "what a browser says comes from elsewhere",
    { path: "/v1/status", headers: { "sec-fetch-site": "same-site", "sec-fetch-mode": "no-cors" } },
    403,
    /another site/,
  ],
  ["what would change something", { path: "/v1/drain", method: "POST" }, 405, /only reads/],
  ["what the page does not need", { path: "/v1/frames" }, 404, /no such page/],
  ["files of the host", { path: "/../../etc/passwd" }, 404, /no such page/],
  ["a path that is none", { path: "//[" }, 400, /cannot be read/],
];

for (const [name, asking, status, words] of REFUSED) {
  test(`UiServer refuses ${name}`, async (t) => {
    const { api, ask } = await serving(t);
    const answer = await ask(asking);
    assert.equal(answer.status, status, answer.body);
    assert.match(answer.body, words);
    assert.deepEqual(api.source.asked, [], "the daemon is not asked");
  });
}

test("UiServer says when the daemon cannot be reached", async (t) => {
  const { ask } = await serving(t, join(tempDir(t), "none.sock"));
  const { status, body } = await ask({ path: "/v1/status" });
  assert.equal(status, 502);
  assert.match(body, /the daemon cannot be reached/);
});

test("UiServer passes the events on until the browser goes", async (t) => {
  const { api, url } = await serving(t);
  const outgoing = request({ host: "127.0.0.1", port: url.port, path: "/v1/events" });
  outgoing.setHeader("cookie", `lbd-ui-${url.port}=${KEY}`);
  outgoing.end();
  const [response] = await once(outgoing, "response");
  assert.equal(response.headers["content-type"], "text/event-stream");
  while (api.source.followers.size === 0) await new Promise((resolve) => setImmediate(resolve));
  for (const tell of api.source.followers) tell({ type: "dropped", count: 3 });
  const [chunk] = await once(response, "data");
  assert.match(String(chunk), /^event: dropped\ndata: \{"type":"dropped","count":3\}\n\n$/);
  outgoing.destroy();
  while (api.source.followers.size > 0) await new Promise((resolve) => setImmediate(resolve));
});

test("UiServer says that its port is taken, and what to do", async (t) => {
  const other = createServer().listen(0, "127.0.0.1");
  t.after(() => other.close());
  await once(other, "listening");
  const { port } = other.address() as { port: number };
  const server = new UiServer({ port, socketPath: "/none", key: KEY });
  await assert.rejects(server.listen(), { code: "SOCKET_UNAVAILABLE", message: /--port/ });
});

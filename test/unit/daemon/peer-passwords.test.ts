// Passwords of BGP peers: read from Secrets, kept, and never told.

import assert from "node:assert/strict";
import test from "node:test";
import { PeerPasswords } from "../../../src/daemon/peer-passwords.ts";
import type { ApiRequest, ApiRequests } from "../../../src/k8s-sync/client.ts";
import { failed, success } from "../../../src/k8s-sync/outcome.ts";

const NAMED = { password: { secret: "tor" } };
const BASIC = "kubernetes.io/basic-auth";

function bench() {
  const secrets = new Map<string, object>();
  const settings = new Map<string, Uint8Array>();
  const asked: string[] = [];
  const client: ApiRequests = {
    request: async ({ path }: ApiRequest) => {
      asked.push(path);
      const found = secrets.get(path.split("/").at(-1) ?? "");
      return found === undefined ? failed("not-found", "no such Secret") : success(found);
    },
  } as ApiRequests;
  const store = {
    setting: (name: string) => settings.get(name) ?? null,
    saveSetting: (name: string, value: Uint8Array) => void settings.set(name, value),
  };
  const set = (text: string, type = BASIC) =>
    secrets.set("tor", {
      ...{ apiVersion: "v1", kind: "Secret", type, metadata: { name: "tor", namespace: "m" } },
      data: { password: Buffer.from(text).toString("base64") },
    });
  const start = () => new PeerPasswords({ client, namespace: "metallb-system", store });
  return { secrets, asked, set, start };
}

test("a peer without a password has none, and one with a text has that", () => {
  const { start } = bench();
  assert.deepEqual(start().of({ password: null }), { kind: "none" });
  assert.deepEqual(start().of({ password: { text: "a" } }), { kind: "known", text: "a" });
});

test("a Secret is read from the configuration's namespace, and kept", async () => {
  const { asked, set, start, secrets } = bench();
  set("s3cret");
  const passwords = start();
  assert.equal(passwords.of(NAMED).kind, "unknown");
  assert.equal(await passwords.read([NAMED]), true);
  assert.equal(await passwords.read([NAMED]), false);
  assert.deepEqual(asked[0], "/api/v1/namespaces/metallb-system/secrets/tor");
  secrets.clear();
  const again = start();
  assert.deepEqual(again.of(NAMED), { kind: "known", text: "s3cret" });
  // It is gone: what was known goes on, and the problem is told.
  await again.read([NAMED]);
  assert.deepEqual(again.of(NAMED), { kind: "known", text: "s3cret" });
  assert.deepEqual([...again.problems], [["tor", "no such Secret"]]);
});

test("what no peer names any more is forgotten", async () => {
  const { set, start } = bench();
  set("s3cret");
  const passwords = start();
  await passwords.read([NAMED]);
  assert.equal(await passwords.read([]), true);
  assert.equal(passwords.of(NAMED).kind, "unknown");
  assert.equal(start().of(NAMED).kind, "unknown");
});

for (const [what, text, type, why] of [
  ["of another type", "a", "Opaque", /of type "Opaque"/],
  ["that is empty", "", BASIC, /is empty/],
  ["with a line break", "a\nno router bgp 1", BASIC, /has spaces or characters/],
  ["with a space", "a b", BASIC, /has spaces or characters/],
  ["that is too long", "a".repeat(81), BASIC, /longer than 80/],
] as const) {
  test(`a Secret ${what} is refused, and what is in it is not told`, async () => {
    const { set, start } = bench();
    set(text, type);
    const passwords = start();
    await passwords.read([NAMED]);
    const { why: told = "" } = passwords.of(NAMED) as { why?: string };
    assert.match(told, why);
    assert.doesNotMatch(told, /router bgp/);
  });
}

// Kubeconfig files, the bad ones first: every problem at once, and in words.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { stringify } from "yaml";
import { AppError } from "../../../src/core/errors.ts";
import { wallMs } from "../../../src/core/time.ts";
import { type Kubeconfig, loadKubeconfig } from "../../../src/k8s-sync/kubeconfig.ts";
import { createCertificate } from "../../support/certificates.ts";

const NOW = wallMs(Date.UTC(2026, 5, 1));
const SOON = {
  notBefore: new Date(Date.UTC(2026, 0, 1)),
  notAfter: new Date(Date.UTC(2027, 0, 1)),
};
const PAST = {
  notBefore: new Date(Date.UTC(2024, 0, 1)),
  notAfter: new Date(Date.UTC(2025, 0, 1)),
};
const LATER = { notBefore: new Date(Date.UTC(2026, 8, 1)), notAfter: SOON.notAfter };

const ca = createCertificate({ commonName: "ca", authority: true, ...SOON });
const oldCa = createCertificate({ commonName: "old ca", authority: true, ...PAST });
const client = createCertificate({ commonName: "lbd", issuer: ca, ...SOON });
const expired = createCertificate({ commonName: "lbd", issuer: ca, ...PAST });
const early = createCertificate({ commonName: "lbd", issuer: ca, ...LATER });

const FILES = {
  "ca.crt": ca.certPem,
  "old-ca.crt": oldCa.certPem,
  "client.crt": client.certPem,
  "client.key": client.keyPem,
  "expired.crt": expired.certPem,
  "expired.key": expired.keyPem,
  "early.crt": early.certPem,
  "early.key": early.keyPem,
  "damaged.crt": "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
  "text.txt": "hello",
  "empty.txt": "\n",
  token: "secret\n",
};

type Entry = Record<string, unknown>;

const CLUSTER: Entry = { server: "https://192.0.2.1:6443", "certificate-authority": "ca.crt" };
const USER: Entry = { "client-certificate": "client.crt", "client-key": "client.key" };

function config(cluster: Entry, user: Entry): string {
  return stringify({
    apiVersion: "v1",
    kind: "Config",
    "current-context": "main",
    clusters: [{ name: "c", cluster }],
    users: [{ name: "u", user }],
    contexts: [{ name: "main", context: { cluster: "c", user: "u" } }],
  });
}

function write(t: TestContext, text: string): string {
  const folder = mkdtempSync(join(tmpdir(), "lbd-kubeconfig-"));
  t.after(() => rmSync(folder, { recursive: true }));
  for (const [name, content] of Object.entries(FILES)) writeFileSync(join(folder, name), content);
  const path = join(folder, "kubeconfig");
  writeFileSync(path, text);
  return path;
}

function load(t: TestContext, text: string, options: { context?: string } = {}): Kubeconfig {
  return loadKubeconfig(write(t, text), { now: NOW, ...options });
}

const BAD: readonly {
  name: string;
  text: string;
  context?: string;
  expected: readonly RegExp[];
}[] = [
  {
    name: "empty file",
    text: " \n",
    expected: [
      /found an empty file, expected clusters, users and contexts/,
      /sudo lbctl bootstrap --kubeconfig admin\.conf/,
    ],
  },
  { name: "half-written file", text: "clusters: [{name: a", expected: [/expected valid YAML/] },
  { name: "text", text: "hello", expected: [/expected a value of type object/] },
  { name: "a list", text: "- a", expected: [/expected a value of type object/] },
  { name: "no contexts", text: "kind: Config", expected: [/of which the file has none/] },
  {
    name: "wrong types",
    text: "clusters: 5\nusers: {}",
    expected: [/clusters: /, /users: .*array/],
  },
  {
    name: "unknown context",
    text: config(CLUSTER, USER),
    context: "prod",
    expected: [/the context asked for: found "prod", expected "main"/],
  },
  {
    name: "cluster and user that are not there",
    text: stringify({
      "current-context": "x",
      contexts: [{ name: "x", context: { cluster: "a", user: "b" } }],
    }),
    expected: [/found cluster "a"/, /found user "b"/],
  },
  {
    name: "expired client certificate",
    text: config(CLUSTER, { "client-certificate": "expired.crt", "client-key": "expired.key" }),
    expected: [/expired at 2025-01-01T00:00:00Z in ".*\/expired\.crt"/],
  },
  {
    name: "expired inline client certificate",
    text: config(CLUSTER, {
      "client-certificate-data": Buffer.from(expired.certPem).toString("base64"),
      "client-key-data": Buffer.from(expired.keyPem).toString("base64"),
    }),
    expected: [/expired at 2025-01-01T00:00:00Z in user\.client-certificate-data/],
  },
  {
    name: "key of another certificate",
    text: config(CLUSTER, { "client-certificate": "client.crt", "client-key": "expired.key" }),
    expected: [/the key of another certificate in ".*expired\.key"/],
  },
  {
    name: "certificate without key",
    text: config(CLUSTER, { "client-certificate": "client.crt" }),
    expected: [/user\.client-key: found nothing usable/],
  },
  {
    name: "key without certificate",
    text: config(CLUSTER, { "client-key": "client.key" }),
    expected: [/user\.client-certificate: found nothing usable/],
  },
  {
    name: "no certificate in the file",
    text: config(CLUSTER, { "client-certificate": "text.txt", "client-key": "text.txt" }),
    expected: [/no certificate in ".*text\.txt"/],
  },
  {
    name: "damaged certificate",
    text: config({ ...CLUSTER, "certificate-authority": "damaged.crt" }, USER),
    expected: [/a damaged certificate in/],
  },
  {
    name: "expired authority",
    text: config({ ...CLUSTER, "certificate-authority": "old-ca.crt" }, USER),
    expected: [/cluster\.certificate-authority: found a certificate that expired/],
  },
  {
    name: "files that are not there, all of them",
    text: config(
      { ...CLUSTER, "certificate-authority": "no.crt" },
      { ...USER, "client-key": "no.key" },
    ),
    expected: [/no\.crt", which cannot be read \(there is no such file\)/, /no\.key", which/],
  },
  {
    name: "data that is no base64",
    text: config({ ...CLUSTER, "certificate-authority-data": "===" }, USER),
    expected: [/certificate-authority-data: found no base64/],
  },
  {
    name: "token file that is empty",
    text: config(CLUSTER, { tokenFile: "empty.txt" }),
    expected: [/user\.tokenFile: found an empty file/],
  },
  {
    name: "exec plugin",
    text: config(CLUSTER, { exec: { command: "aws" } }),
    expected: [/user\.exec: found a helper program, which lbd does not run/],
  },
  {
    name: "auth provider",
    text: config(CLUSTER, { "auth-provider": { name: "oidc" } }),
    expected: [/user\.auth-provider: found a helper/],
  },
  {
    name: "basic authentication",
    text: config(CLUSTER, { username: "a", password: "b" }),
    expected: [/basic authentication/],
  },
  {
    name: "no credentials",
    text: config(CLUSTER, {}),
    expected: [/user: found no credentials/],
  },
  {
    name: "no server",
    text: config({}, USER),
    expected: [/cluster\.server: found nothing, expected an https:\/\/ URL/],
  },
  {
    name: "server that is no URL",
    text: config({ ...CLUSTER, server: "192.0.2.1:6443" }, USER),
    expected: [/cluster\.server: found "192\.0\.2\.1:6443"/],
  },
  {
    name: "plain HTTP",
    text: config({ server: "http://192.0.2.1:8080" }, USER),
    expected: [/allowInsecureApi/],
  },
  {
    name: "insecure-skip-tls-verify",
    text: config({ server: "https://h", "insecure-skip-tls-verify": true }, USER),
    expected: [/cluster\.insecure-skip-tls-verify: found true/],
  },
  {
    name: "proxy",
    text: config({ ...CLUSTER, "proxy-url": "socks5://p" }, USER),
    expected: [/cluster\.proxy-url: found "socks5:\/\/p"/],
  },
];

for (const row of BAD) {
  test(`loadKubeconfig() refuses: ${row.name}`, (t) => {
    const options = row.context === undefined ? {} : { context: row.context };
    assert.throws(
      () => load(t, row.text, options),
      (thrown) => {
        assert.ok(thrown instanceof AppError);
        assert.equal(thrown.code, "KUBECONFIG_INVALID");
        assert.match(thrown.message, /^Cannot use kubeconfig "\/.*"/);
        for (const pattern of row.expected) assert.match(thrown.message, pattern);
        assert.doesNotMatch(thrown.message, /\.$|\n/);
        return true;
      },
    );
  });
}

test("loadKubeconfig() refuses: a file that is not there", () => {
  assert.throws(() => loadKubeconfig("/nonexistent/kubeconfig", { now: NOW }), {
    code: "KUBECONFIG_INVALID",
    message:
      'Cannot read kubeconfig "/nonexistent/kubeconfig": there is no such file; ' +
      '"sudo lbctl bootstrap --kubeconfig admin.conf" makes one, and on further nodes ' +
      '"lbctl join"',
  });
});

test("loadKubeconfig() client certificate, by file relative to the kubeconfig", (t) => {
  const loaded = load(t, config({ ...CLUSTER, "tls-server-name": "kubernetes" }, USER));
  assert.equal(loaded.origin, "https://192.0.2.1:6443");
  assert.equal(loaded.basePath, "");
  assert.equal(loaded.context, "main");
  assert.deepEqual(loaded.tls, {
    ca: ca.certPem,
    cert: client.certPem,
    key: client.keyPem,
    servername: "kubernetes",
    insecure: false,
  });
  assert.equal(loaded.certificateExpiresAt, SOON.notAfter.getTime());
  assert.equal(loaded.token, null);
});

test("loadKubeconfig() inline data wins over files, and nulls are absent", (t) => {
  const data = (text: string): string => Buffer.from(text).toString("base64");
  const loaded = load(
    t,
    config(
      {
        ...CLUSTER,
        "certificate-authority": "no.crt",
        "certificate-authority-data": data(ca.certPem),
      },
      {
        "client-certificate-data": data(client.certPem),
        "client-key-data": data(client.keyPem),
        exec: null,
        token: null,
      },
    ),
  );
  assert.equal(loaded.tls.cert, client.certPem);
});

test("loadKubeconfig() leaves a certificate of the future to the server", (t) => {
  const user = { "client-certificate": "early.crt", "client-key": "early.key" };
  assert.equal(load(t, config(CLUSTER, user)).tls.cert, early.certPem);
});

test("loadKubeconfig() token, and a token file that wins over it", (t) => {
  const path = write(t, config(CLUSTER, { token: "abc\n", tokenFile: "token" }));
  const loaded = loadKubeconfig(path, { now: NOW });
  assert.deepEqual(loaded.token, { kind: "file", path: path.replace(/kubeconfig$/, "token") });
  assert.deepEqual(load(t, config(CLUSTER, { token: "abc\n" })).token, {
    kind: "fixed",
    token: "abc",
  });
});

test("loadKubeconfig() insecure when allowed, and a path in front of the API's", (t) => {
  const path = write(t, config({ server: "http://127.0.0.1:8001/proxy/" }, {}));
  const loaded = loadKubeconfig(path, { now: NOW, allowInsecure: true });
  assert.equal(loaded.origin, "http://127.0.0.1:8001");
  assert.equal(loaded.basePath, "/proxy");
});

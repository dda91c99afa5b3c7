// Makes dist/: one file each for the daemon, its responder thread and lbctl, with the native addon
// beside them. Packages with native addons of their own stay packages: dist/ needs a node_modules
// with them above it or in it.

import { copyFileSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { build, type Metafile, type Plugin } from "esbuild";
import { deployTexts } from "../src/join/deploy-files.ts";
import { pageFiles } from "../src/ui/page-files.ts";

const root = join(import.meta.dirname, "..");

/** They find their .node files by their own place in node_modules. */
export const EXTERNAL_PACKAGES = ["better-sqlite3", "netlink", "sd-notify"] as const;

/**
 * With these the daemon holds less, and answers as fast: 76 MB instead of 87 when they were chosen,
 * with 100 Services. Pages of the binary are among both, and how many differs between hosts.
 * In the order of what they save:
 * - small semi-spaces: little garbage is kept before it is collected;
 * - no on-stack replacement: parsing one long kubeconfig would otherwise bring in the pages of the
 *   optimizing compiler. Functions that are called often, as those of an answer, still get there;
 * - builtins are called where they are in the binary, instead of copied once for each thread;
 * - optimize-for-size; of it alone a heap may grow by a tenth before it is collected: with 10,000
 *   Services a daemon that started spent half of its time so, in pauses of up to 180 ms. By 30 %
 *   it holds as little; without a limit it held 270 MB instead of 200.
 *
 * The last one is for the answering thread: garbage is collected by the thread whose it is. Helpers
 * have no real-time priority; on a busy host that thread, which has it, waited for them, and lost
 * its tenures.
 */
export const NODE_ARGUMENTS: readonly string[] = [
  "--max-semi-space-size=4",
  "--no-use-osr",
  "--no-short-builtin-calls",
  "--optimize-for-size",
  "--heap-growing-percent=30",
  "--single-threaded-gc",
];

/** For the process: the C library then keeps one pool of memory, not one for each thread. */
export const MEMORY_ENVIRONMENT: Readonly<Record<string, string>> = { MALLOC_ARENA_MAX: "1" };

/** Name in dist/, without the extension, and source. */
const ENTRIES = {
  main: "src/daemon/main.ts",
  "responder-thread": "src/daemon/responder-thread.ts",
  lbctl: "src/cli/main.ts",
} as const;

/** CommonJS packages in the bundle call require() for Node's own modules. */
const BANNER =
  'import { createRequire as bundleRequire } from "node:module";\n' +
  "const require = bundleRequire(import.meta.url);";

/**
 * What of a package the daemon uses, where its entry loads much more: memory that is held for
 * nothing. A name that is used and not here fails the build.
 */
const ENTRY_SHIMS: Readonly<Record<string, string>> = {
  // Without fetch, WebSocket, caches, cookies, mocks; assigning is what its entry does too.
  undici: `
    import api from "undici/lib/api/index.js";
    import Dispatcher from "undici/lib/dispatcher/dispatcher.js";
    Object.assign(Dispatcher.prototype, api);
    export { default as Pool } from "undici/lib/dispatcher/pool.js";`,
  // Without the push gateway, metrics that keep their values, and those of clusters and of Node.
  "prom-client": 'export { default as Registry } from "prom-client/lib/registry.js";',
  // Without the tables of nl80211, WireGuard and generic netlink.
  netlink: 'export { default } from "netlink/dist/rt/rt.js";',
};

/**
 * An import statement for a module of Node reads all that it exports, things that load themselves
 * when they are first touched included: for node:http that is Node's inner undici, 15 MB, for
 * node:crypto it is WebCrypto. require() touches nothing.
 */
const BUILTIN = /^node:/;

/** The package has no deploy/ beside it: lbctl carries the texts. */
const DEPLOY_SHIM = `
  const texts = ${JSON.stringify(deployTexts())};
  export function deployTexts() { return texts; }`;

/** Nor has it the files of the status page. */
const PAGE_SHIM = `
  const files = ${JSON.stringify(pageFiles())};
  export function pageFiles() { return files; }`;

/** Files that are replaced: of packages by next to nothing. */
const FILE_SHIMS: readonly (readonly [RegExp, string])[] = [
  [/src\/join\/deploy-files\.ts$/, DEPLOY_SHIM],
  [/src\/ui\/page-files\.ts$/, PAGE_SHIM],
  // Texts in forty languages; the English ones are imported by themselves.
  [/zod\/v4\/locales\/index\.js$/, "export {};"],
  // The API is spoken to in HTTP/1.1 alone (allowH2: false); this loads node:http2.
  [
    /undici\/lib\/dispatcher\/client-h2\.js$/,
    'module.exports = () => { throw new Error("HTTP/2 is not part of this bundle"); };',
  ],
];

const shims: Plugin = {
  name: "shims",
  setup(build) {
    const names = new RegExp(`^(${Object.keys(ENTRY_SHIMS).join("|")})$`);
    build.onResolve({ filter: names }, ({ path }) => ({ path, namespace: "shim" }));
    build.onLoad({ filter: /.*/, namespace: "shim" }, ({ path }) => ({
      contents: ENTRY_SHIMS[path] ?? "",
      resolveDir: root,
    }));
    build.onResolve({ filter: BUILTIN }, ({ path, kind }) =>
      kind === "import-statement" ? { path, namespace: "required" } : { path, external: true },
    );
    build.onLoad({ filter: /.*/, namespace: "required" }, ({ path }) => ({
      contents: `module.exports = require(${JSON.stringify(path)});`,
    }));
    for (const [filter, contents] of FILE_SHIMS) build.onLoad({ filter }, () => ({ contents }));
  },
};

/**
 * Bundles into `folder`, which is made; what lies there under the same names is replaced. Returns
 * what went into it.
 */
export async function bundle(folder: string): Promise<Metafile> {
  const entryPoints = Object.entries(ENTRIES).map(([out, source]) => ({
    in: join(root, source),
    out,
  }));
  const { metafile } = await build({
    // Comments name the sources; not as they lie from where the build was started.
    absWorkingDir: root,
    entryPoints,
    outdir: resolve(folder),
    metafile: true,
    bundle: true,
    format: "esm",
    platform: "node",
    target: "node26",
    external: EXTERNAL_PACKAGES.flatMap((name) => [name, `${name}/*`]),
    plugins: [shims],
    // Any value: undici then leaves out a second, experimental HTTP parser.
    define: { esbuildDetection: "true" },
    banner: { js: BANNER },
    // Readable stack traces are worth more than a smaller file.
    minify: false,
    legalComments: "none",
    logLevel: "warning",
  });
  for (const name of Object.keys(ENTRIES)) makeAscii(join(folder, `${name}.js`));
  // Into a new file: the old one may be mapped by a process that runs.
  const addon = join(folder, "lbd_native.node");
  copyFileSync(join(root, "native/build/Release/lbd_native.node"), `${addon}.new`);
  renameSync(`${addon}.new`, addon);
  return metafile;
}

/**
 * One character beyond Latin-1 makes V8 keep the whole text with two bytes a character. esbuild
 * escapes those in code; the ones in comments of packages become question marks.
 */
function makeAscii(file: string): void {
  const lines = readFileSync(file, "utf8").split("\n");
  const isComment = /^\s*(\/\/|\/?\*)/;
  const ascii = lines.map((line) =>
    isComment.test(line) ? line.replaceAll(/[^\t -~]/g, "?") : line,
  );
  writeFileSync(file, ascii.join("\n"));
}

if (import.meta.main) {
  const { positionals } = parseArgs({ allowPositionals: true });
  const folder = positionals[0] ?? join(root, "dist");
  await bundle(folder);
  console.log(`bundled into ${folder}`);
}

// The Debian package as a file: what is in it, what it asks of the host, what it says of itself,
// and that the same sources give the same bytes.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { gunzipSync } from "node:zlib";
import { ARCHITECTURE } from "../../scripts/deb/layout.ts";
import { VERSION } from "../../src/core/version.ts";
import { root } from "../repo/support/files.ts";
import { tempDir } from "../support/temp-dir.ts";
import { builtPackage, field, filesIn, output, sbomBeside, unpack } from "./support/package.ts";

/** Of Debian 12, the oldest that the package is for (docs/packaging.md). */
const GLIBC_MAX = 36;
const LIBRARY = "usr/lib/lbd";

interface Component {
  readonly name: string;
  readonly version: string;
  readonly hashes: readonly { readonly content: string }[];
  readonly licenses: readonly unknown[];
  readonly components?: readonly Component[];
}

let deb = "";
/** What is in it. */
let folder = "";

before(async () => {
  deb = await builtPackage();
  folder = mkdtempSync(join(tmpdir(), "lbd-deb-test-"));
  unpack(deb, folder);
});

after(() => rmSync(folder, { recursive: true, force: true }));

const textIn = (path: string): string => {
  const bytes = readFileSync(join(folder, path));
  return (path.endsWith(".gz") ? gunzipSync(bytes) : bytes).toString();
};

const sha256 = (path: string): string =>
  createHash("sha256").update(readFileSync(path)).digest("hex");

test("the package has the version of lbd, and the architecture of its programs", () => {
  assert.equal(field(deb, "Version"), VERSION);
  assert.equal(field(deb, "Architecture"), ARCHITECTURE.debian);
  const machine = { amd64: /x86-64/, arm64: /aarch64/ }[ARCHITECTURE.debian];
  const programs = filesIn(deb).filter(({ path }) => /\.node$|\/node$/.test(path));
  assert.equal(programs.length, 5);
  for (const { path } of programs) {
    assert.match(output("file", ["--brief", join(folder, path)]), machine ?? /never/, path);
  }
});

test("the package asks for nothing that Debian 12 and Ubuntu 24.04 do not have", () => {
  const depends = field(deb, "Depends").split(/, | \| /);
  const names = depends.map((one) => one.split(" ")[0] ?? "").sort();
  const systemd = ["systemd", "systemd-standalone-sysusers", "systemd-sysusers"];
  const libraries = ["libatomic1", "libc6", "libgcc-s1", "libstdc++6", "libsystemd0"];
  assert.deepEqual(names, [...libraries, ...systemd]);
  const [, glibc] = /libc6 \(>= 2\.(\d+)\)/.exec(field(deb, "Depends")) ?? [];
  assert.ok(Number(glibc) <= GLIBC_MAX, `glibc 2.${glibc}`);
});

test("the package's files belong to root, and only programs may be executed", () => {
  const files = filesIn(deb).filter(({ mode }) => mode.startsWith("-"));
  const executable = files.filter(({ mode }) => mode.includes("x")).map(({ path }) => path);
  const programs = ["/usr/bin/lbctl", `/${LIBRARY}/node`, "/usr/sbin/lbd"];
  assert.deepEqual(executable.sort(), programs.sort());
  assert.deepEqual([...new Set(filesIn(deb).map(({ owner }) => owner))], ["root/root"]);
  const written = files.filter(({ mode }) => /^.....w|^........w/.test(mode));
  assert.deepEqual(written, []);
});

test("the package's configuration files are those that an upgrade keeps", () => {
  const conffiles = textIn("DEBIAN/conffiles").trim().split("\n").sort();
  assert.deepEqual(conffiles, ["/etc/lbd/config.yaml", "/etc/ufw/applications.d/lbd"]);
  const printed = output(process.execPath, [join(root, "src/daemon/main.ts"), "--print-default"]);
  assert.equal(textIn("etc/lbd/config.yaml"), printed);
});

test("the packaged programs run with what is in the package alone", () => {
  const node = join(folder, LIBRARY, "node");
  for (const name of ["main.js", "lbctl.js"]) {
    assert.equal(output(node, [join(folder, LIBRARY, name), "--version"]), `${VERSION}\n`);
  }
  const loading = ["better-sqlite3", "netlink/dist/rt/rt.js", "sd-notify", "../lbd_native.node"];
  const script = `for (const name of ${JSON.stringify(loading)}) require("./node_modules/" + name);
    console.log(require("./node_modules/better-sqlite3")(":memory:").open)`;
  assert.equal(output(node, ["--eval", script], join(folder, LIBRARY)), "true\n");
});

test("the wrappers start the packaged Node, whatever NODE_OPTIONS say", () => {
  for (const [path, file] of [
    ["usr/sbin/lbd", "main.js"],
    ["usr/bin/lbctl", "lbctl.js"],
  ] as const) {
    // The same script, for a library folder that is not in its place.
    const script = textIn(path).replaceAll(`/${LIBRARY}`, join(folder, LIBRARY));
    assert.match(script, new RegExp(`/node --.* \\\\\n .*/${file} "\\$@"\n$`));
    const env = { ...process.env, NODE_OPTIONS: "--no-such-option" };
    const done = spawnSync("sh", ["-c", script, path, "--version"], { env, encoding: "utf8" });
    assert.deepEqual([done.stdout, done.stderr, done.status], [`${VERSION}\n`, "", 0]);
  }
});

test("the bill of materials names what is in the package, and what Node is made of", () => {
  const sbom = JSON.parse(textIn("usr/share/doc/lbd/lbd.cdx.json.gz"));
  assert.deepEqual(sbom, JSON.parse(sbomBeside(deb)));
  const components: readonly Component[] = sbom.components;
  const [node] = components.filter(({ name }) => name === "node");
  const printed = output(join(folder, LIBRARY, "node"), ["--print", "process.version"]);
  assert.equal(`v${node?.version}\n`, printed);
  const inNode = node?.components?.map(({ name }) => name) ?? [];
  for (const name of ["openssl", "v8", "uv", "zlib"]) assert.ok(inNode.includes(name), name);
  const names = components.map(({ name }) => name);
  for (const name of readdirSync(join(folder, LIBRARY, "node_modules"))) {
    assert.ok(names.includes(name), name);
  }
  for (const name of ["commander", "undici", "yaml", "zod"]) assert.ok(names.includes(name), name);
  assert.ok(!names.includes("typescript"));
  for (const { name, hashes, licenses } of components) {
    assert.match(hashes[0]?.content ?? "", /^[0-9a-f]{128}$/, name);
    assert.equal(licenses.length, 1, name);
  }
});

test("the copyright file has the licence of every part", () => {
  const sbom: { components: readonly Component[] } = JSON.parse(sbomBeside(deb));
  const text = textIn("usr/share/doc/lbd/copyright");
  for (const { name, version } of sbom.components) {
    if (name === "node") assert.match(text, /^Comment: \/usr\/lib\/lbd\/node$/m);
    else
      assert.match(text, new RegExp(`^Comment: ${name} ${version.replaceAll(".", "\\.")}, `, "m"));
  }
  assert.match(text, /^ Permission is hereby granted, free of charge/m);
});

test("the manual pages have no warning", () => {
  const pages = ["man1/lbctl.1.gz", "man5/lbd.yaml.5.gz", "man8/lbd.8.gz"];
  for (const page of pages) {
    const path = join(folder, "usr/share/man", page);
    const env = { ...process.env, MANWIDTH: "80", LC_ALL: "C.UTF-8", MANROFFSEQ: "" };
    const args = ["--warnings", "--encoding=UTF-8", "--local-file", "-Tutf8", "--ditroff", path];
    const done = spawnSync("man", args, { env, encoding: "utf8" });
    assert.deepEqual([done.stderr, done.status], ["", 0], page);
    assert.ok(done.stdout.length > 1_000, page);
  }
});

test("the manual pages tell every option, command and setting", () => {
  const page = (path: string) => textIn(`usr/share/man/${path}`).replaceAll("\\-", "-");
  const lbctl = page("man1/lbctl.1.gz");
  for (const word of ["lbctl import metallb", "--socket", "LBD_SOCKET", "lbctl explain subject"]) {
    assert.ok(lbctl.includes(word), word);
  }
  assert.ok(page("man8/lbd.8.gz").includes("--print-default"));
  const settings = page("man5/lbd.yaml.5.gz");
  for (const word of ["beacons.intervalMs", "a number, 20 to 1000", "loadBalancerClass"]) {
    assert.ok(settings.includes(word), word);
  }
});

test("lintian finds nothing", () => {
  const args = ["--allow-root", "--fail-on=error,warning", "--tag-display-limit=0", deb];
  const done = spawnSync("lintian", args, { encoding: "utf8" });
  assert.deepEqual([done.stdout, done.status], ["", 0]);
});

test("the same sources give the same package, elsewhere and at another time", (t) => {
  const copy = join(tempDir(t), "another-folder", "lbd");
  mkdirSync(copy, { recursive: true });
  // The addon in native/ is compiled anew.
  const names = readdirSync(root).filter((name) => !/^(\.git|dist|native)$/.test(name));
  // node_modules may be a link.
  output("cp", ["--archive", "-H", ...names, copy], root);
  mkdirSync(join(copy, "native"));
  const native = readdirSync(join(root, "native")).filter((name) => name !== "build");
  output("cp", ["--archive", ...native, join(copy, "native")], join(root, "native"));
  const out = join(copy, "out");
  const env = { ...process.env, TMPDIR: tempDir(t), LANG: "C", TZ: "Asia/Tokyo" };
  const script = 'umask 077 && exec "$0" "$1"';
  const argv = ["-c", script, join(copy, "scripts/build-deb.sh"), out];
  const done = spawnSync("sh", argv, { env, encoding: "utf8" });
  assert.equal(done.status, 0, done.stderr);
  const second = join(out, deb.split("/").at(-1) ?? "");
  assert.equal(sha256(second), sha256(deb));
});

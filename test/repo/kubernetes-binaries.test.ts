// scripts/build-kubernetes.sh with a stub of Go: what it takes from the folder that
// KUBEBUILDER_ASSETS names, what it builds, and what it says when it can do neither.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import test, { type TestContext } from "node:test";
import { tempDir } from "../support/temp-dir.ts";
import { root } from "./support/files.ts";

const ALL = ["etcd", "kube-apiserver", "kube-proxy", "kubectl"];
/** What envtest's folders hold. */
const ENVTEST = ["etcd", "kube-apiserver", "kubectl"];

/** `go version` and `go build ... -o FILE PACKAGE`; what is built says so. */
function stubOfGo(version: string): string {
  return `#!/bin/sh
if [ "$1" = version ]; then echo "${version}"; exit; fi
while [ "$1" != -o ]; do shift; done
echo "$3 $GOTOOLCHAIN" >>"$GO_LOG"
printf '#!/bin/sh\\necho built' >"$2"
chmod +x "$2"
`;
}

function writeProgram(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text, { mode: 0o755 });
}

function setUp(t: TestContext, options: { assets?: readonly string[]; version?: string } = {}) {
  const folder = tempDir(t);
  const { assets = [], version = "go version go1.21.0 linux/amd64" } = options;
  const log = join(folder, "go.log");
  const cache = join(folder, "cache");
  mkdirSync(join(folder, "assets"));
  for (const name of assets) {
    writeProgram(join(folder, "assets", name), "#!/bin/sh\necho taken");
  }
  writeProgram(join(folder, "bin/go"), stubOfGo(version));
  const provide = (named: string) => {
    const done = spawnSync(join(root, "scripts/build-kubernetes.sh"), {
      cwd: folder,
      encoding: "utf8",
      env: {
        PATH: `${join(folder, "bin")}:/usr/bin:/bin`,
        LBD_CACHE: cache,
        GO_LOG: log,
        KUBEBUILDER_ASSETS: named,
      },
    });
    return { status: done.status, printed: done.stdout.trimEnd(), said: done.stderr };
  };
  const built = () => (existsSync(log) ? readFileSync(log, "utf8").trim().split("\n") : []);
  return { folder, cache, provide, built };
}

/** What each of the binaries prints. */
function runAll(folder: string): Record<string, string> {
  const said = ALL.map((name) => [
    name,
    spawnSync(join(folder, name), { encoding: "utf8" }).stdout.trim(),
  ]);
  return Object.fromEntries(said);
}

const TAKEN = { etcd: "taken", "kube-apiserver": "taken", kubectl: "taken" };

test("build-kubernetes.sh takes an envtest folder, and builds kube-proxy once", (t) => {
  const { cache, provide, built } = setUp(t, { assets: ENVTEST });
  const first = provide("assets");
  assert.equal(first.status, 0, first.said);
  assert.ok(first.printed.startsWith(`${cache}/`), first.printed);
  assert.deepEqual(readdirSync(first.printed).sort(), ALL);
  assert.deepEqual(runAll(first.printed), { ...TAKEN, "kube-proxy": "built" });
  assert.deepEqual(built(), ["k8s.io/kubernetes/cmd/kube-proxy auto"]);
  assert.deepEqual(provide("assets"), { status: 0, printed: first.printed, said: "" });
  assert.equal(built().length, 1);
});

test("build-kubernetes.sh links anew what has come into the envtest folder", (t) => {
  const { folder, provide } = setUp(t, { assets: ["etcd"] });
  const { printed } = provide("assets");
  assert.equal(runAll(printed).kubectl, "built");
  writeProgram(join(folder, "assets/kubectl"), "#!/bin/sh\necho taken");
  assert.equal(provide("assets").printed, printed);
  assert.equal(runAll(printed).kubectl, "taken");
});

test("build-kubernetes.sh takes a folder with all four as it is, without Go", (t) => {
  const version = "go version go1.19.8 linux/amd64";
  const { folder, provide, built } = setUp(t, { assets: ALL, version });
  const taken = { status: 0, printed: join(folder, "assets"), said: "" };
  assert.deepEqual(provide("assets"), taken);
  assert.deepEqual(built(), []);
});

test("build-kubernetes.sh builds all four when no folder is named", (t) => {
  const { cache, provide, built } = setUp(t);
  const done = provide("");
  assert.equal(done.status, 0, done.said);
  assert.match(done.printed, /\/kubernetes-v1\.[\d.]+\/bin$/);
  assert.ok(done.printed.startsWith(cache));
  assert.deepEqual(readdirSync(done.printed).sort(), ALL);
  assert.equal(built().length, 4);
  assert.deepEqual(provide(""), { ...done, said: "" });
  assert.equal(built().length, 4);
});

for (const [name, named, says] of [
  ["that does not exist", "nowhere", /is 'nowhere', and there is no such folder; correct it, or/],
  ["with none of them", "assets", /is 'assets', where none of etcd .* kubectl is; correct it, or/],
] as const) {
  test(`build-kubernetes.sh refuses a folder ${name}, and builds nothing`, (t) => {
    const { provide, built } = setUp(t);
    const { status, printed, said } = provide(named);
    assert.deepEqual([status, printed, built()], [1, "", []]);
    assert.match(said, /^Cannot provide Kubernetes for the lab: KUBEBUILDER_ASSETS /);
    assert.match(said, says);
  });
}

test("build-kubernetes.sh refuses a Go that cannot read the module, and says which can", (t) => {
  const { folder, provide, built } = setUp(t, { version: "go version go1.19.8 linux/amd64" });
  const { status, said } = provide("");
  assert.deepEqual([status, built()], [1, []]);
  assert.ok(said.includes(`'${join(folder, "bin/go")}' is go version go1.19.8`), said);
  assert.match(said, /Go 1\.21 or newer is needed: from https:\/\/go\.dev\/dl, or .*backports/);
});

test("build-kubernetes.sh looks for Go where its own packages put it", () => {
  const script = readFileSync(join(root, "scripts/build-kubernetes.sh"), "utf8");
  assert.match(script, /^PATH=\$PATH:\/usr\/local\/go\/bin$/m);
});

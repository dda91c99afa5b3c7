// Every lbctl command that the docs show, run as it is shown, on the owner of an address.

import assert from "node:assert/strict";
import { globSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { clusterForSuite } from "./support/daemon-cluster.ts";

const ROOT = join(import.meta.dirname, "../..");
const MAIN = join(ROOT, "src/cli/main.ts");
const ADDRESS = "192.168.100.50";

/** Those that need an administrator's kubeconfig, or MetalLB, and the test file that runs them. */
const ELSEWHERE: readonly (readonly [RegExp, string])[] = [
  [/^(bootstrap|join|leave)\b/, "test/cluster/join.test.ts"],
  [/^import\b/, "test/cluster/migration.test.ts"],
  [/^bgp withdraw\b/, "test/bgp/faults.test.ts"],
  [/^plan shadow\b/, "test/cluster/migration.test.ts"],
];
/** Until interrupted. */
const ENDLESS = /^(watch|top|ui|.*--watch|.*--follow)\b/;
const FILE = /\b(pools|all)\.yaml\b/;

/** For the one that reads it from standard input. */
const OLD_CONFIG = "address-pools: [{name: lan, protocol: layer2, addresses: [10.1.0.0/24]}]\n";

/** `lbctl a|b [c]   what it does` is two commands without the option, and without the words. */
function commandsIn(line: string): string[] {
  const [command = ""] = line.split(/ {2,}|\s#/);
  const plain = command.replace(/ \[[^\]]*\]/g, "").trim();
  const at = plain.split(" ").findIndex((word) => word.includes("|"));
  const choices = plain.split(" ")[at]?.split("|") ?? [plain];
  return at === -1 ? choices : choices.map((choice) => plain.split(" ").with(at, choice).join(" "));
}

function documented(): string[] {
  const files = ["README.md", ...globSync("docs/*.md", { cwd: ROOT })];
  const lines = files.flatMap((file) => readFileSync(join(ROOT, file), "utf8").split("\n"));
  const shown = lines.flatMap((line) => /^\s*(?:\$ )?(?:sudo )?lbctl (.*)$/.exec(line)?.[1] ?? []);
  return [...new Set(shown.flatMap(commandsIn))].toSorted();
}

const ALL = documented();

test("the docs show commands of lbctl, and each that is run elsewhere is run there", () => {
  assert.ok(ALL.length > 25, `${ALL.length}`);
  for (const [pattern, file] of ELSEWHERE) {
    const word = ALL.find((command) => pattern.test(command))?.split(" ")[0] ?? "";
    assert.ok(readFileSync(join(ROOT, file), "utf8").includes(`"${word}"`), `${file}: ${word}`);
  }
});

describe("the commands of the docs", () => {
  const cluster = clusterForSuite({
    nodes: 2,
    prepare: async (c) => void (await c.createService("web")),
  });

  for (const command of ALL.filter((one) => !ELSEWHERE.some(([pattern]) => pattern.test(one)))) {
    test(`lbctl ${command}`, async () => {
      const c = cluster();
      const owner = await c.untilAnswering(ADDRESS);
      const daemon = c.daemon(owner);
      const { folder } = daemon.node;
      const manifest = join(folder, "pools.yaml");
      const kubectl = await c.controlPlane.kubectl([
        ...["get", "ipaddresspools,l2advertisements", "-n", "metallb-system", "-o", "yaml"],
      ]);
      writeFileSync(manifest, kubectl);
      const words = command
        .replace(FILE, manifest)
        .replace(/^arp (who|probe)$/, `arp $1 ${ADDRESS}`)
        .replace("NAMESPACE/NAME", "default/web")
        .replace(/\bADDRESS\b|\b10\.0\.0\.1\b/, ADDRESS)
        .replace(/\b(node2|n2)\b/, c.other(owner).node.name);
      const within = ["env", "-C", folder];
      const limit = ENDLESS.test(command) ? [...within, "timeout", "3"] : within;
      const argv = [...limit, process.execPath, MAIN, "--socket", daemon.socket];
      const more = /^(doctor|bugreport)/.test(words) ? ["--config", daemon.configFile] : [];
      const full = [...argv, ...words.split(" "), ...more];
      const { code, stdout, stderr } = await daemon.node.tryRun(full, {
        timeoutMs: 60_000,
        input: OLD_CONFIG,
      });
      // 1: a negative answer, as of a host that is no real one.
      const expected = ENDLESS.test(command) ? [124] : [0, 1];
      assert.ok(expected.includes(code ?? -1), `${code}: ${stdout}${stderr}`);
      assert.doesNotMatch(stderr, /unknown|Usage/);
      assert.notEqual(stdout + stderr, "");
      if (command === "drain") assert.equal((await daemon.lbctl(["undrain"])).code, 0);
    });
  }
});

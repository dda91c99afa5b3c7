// What the Debian package says of lbd is what lbd says of itself: the version, the architectures,
// the port for firewalls, the programs of the unit.

import assert from "node:assert/strict";
import test from "node:test";
import { nodeFileSchema } from "../../src/config/node-file.ts";
import { VERSION } from "../../src/core/version.ts";
import { textOf } from "./support/files.ts";

const packaging = (path: string): string => textOf(`packaging/deb/${path}`);

test("the version is one: package.json, the lockfile, lbd itself, the Debian changelog", () => {
  const [, changelog] = /^lbd \(([^)]+)\) /.exec(packaging("debian/changelog")) ?? [];
  const manifest = JSON.parse(textOf("package.json")).version;
  const lockfile = JSON.parse(textOf("package-lock.json")).version;
  assert.deepEqual([manifest, lockfile, changelog], [VERSION, VERSION, VERSION]);
});

test("README names the package by its version", () => {
  const named = textOf("README.md").match(/lbd_[^ `]*_amd64\.deb/g) ?? [];
  assert.deepEqual([...new Set(named)], [`lbd_${VERSION}_amd64.deb`]);
});

test("the firewalls' files name the beacons' port", () => {
  const { port } = nodeFileSchema.parse({}).beacons;
  assert.match(packaging("firewall/lbd.xml"), new RegExp(`<port protocol="udp" port="${port}"/>`));
  assert.match(packaging("firewall/ufw"), new RegExp(`^ports=${port}/udp$`, "m"));
  assert.match(textOf("docs/packaging.md"), new RegExp(`UDP port ${port}, multicast`));
  assert.match(textOf("docs/man/lbd.8.md"), new RegExp(`UDP port ${port} of`));
});

test("every exception for lintian has a reason above it", () => {
  const blocks = packaging("debian/lbd.lintian-overrides").trim().split("\n\n");
  for (const block of blocks) assert.match(block, /^# /);
});

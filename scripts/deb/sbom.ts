// The bill of materials of the Debian package, in CycloneDX 1.6: every package of others that is in
// it, and what the runtime itself is made of.

import { createHash } from "node:crypto";
import Database from "better-sqlite3";
import { VERSION } from "../../src/core/version.ts";
import { ARCHITECTURE } from "./layout.ts";
import type { Part } from "./parts.ts";

/** In process.versions, but no part of its own. */
const NO_PARTS = ["node", "modules", "napi", "unicode", "tz", "cldr"];

export function sbom(parts: readonly Part[], builtAt: Date): string {
  const runtime = parts.find(({ kind }) => kind === "runtime");
  const packages = parts.filter(({ kind }) => kind !== "runtime");
  const components = [
    ...(runtime === undefined ? [] : [runtimeComponent(runtime)]),
    ...packages.map(packageComponent),
  ];
  const purl = `pkg:deb/lbd@${VERSION}?arch=${ARCHITECTURE.debian}`;
  const about = { type: "application", name: "lbd", version: VERSION, purl };
  const document = {
    bomFormat: "CycloneDX",
    specVersion: "1.6",
    serialNumber: `urn:uuid:${uuidOf(JSON.stringify(components))}`,
    version: 1,
    metadata: {
      timestamp: builtAt.toISOString(),
      component: {
        "bom-ref": purl,
        ...about,
        licenses: [{ license: { id: "Apache-2.0" } }],
      },
    },
    components,
    dependencies: [{ ref: purl, dependsOn: components.map((one) => one["bom-ref"]) }],
  };
  return `${JSON.stringify(document, null, 2)}\n`;
}

function runtimeComponent(part: Part) {
  // Empty: Node was built without it.
  const inside = Object.entries(process.versions).filter(
    ([name, version = ""]) => version !== "" && !NO_PARTS.includes(name),
  );
  return {
    ...common(part, { name: "node", purl: `pkg:generic/node@${part.version}` }),
    properties: [
      { name: "lbd:kind", value: part.kind },
      { name: "lbd:from", value: `npm package ${part.name}` },
    ],
    components: inside.map(([name, version = ""]) => inner(name, version, "node")),
  };
}

function packageComponent(part: Part) {
  const purl = `pkg:npm/${part.name.replace("@", "%40")}@${part.version}`;
  const isSqlite = part.name === "better-sqlite3";
  return {
    ...common(part, { name: part.name, purl }),
    properties: [{ name: "lbd:kind", value: part.kind }],
    ...(isSqlite ? { components: [inner("sqlite", sqliteVersion(), part.name)] } : {}),
  };
}

function common(part: Part, { name, purl }: { name: string; purl: string }) {
  const [algorithm = "", digest = ""] = part.integrity.split("-");
  if (algorithm !== "sha512") throw new Error(`Cannot tell the SHA-512 of "${part.name}"`);
  return {
    "bom-ref": purl,
    type: part.kind === "runtime" ? "platform" : "library",
    name,
    version: part.version,
    purl,
    licenses: [{ license: { id: part.license } }],
    hashes: [{ alg: "SHA-512", content: Buffer.from(digest, "base64").toString("hex") }],
  };
}

function inner(name: string, version: string, within: string) {
  const purl = `pkg:generic/${name}@${encodeURIComponent(version)}`;
  return { "bom-ref": `${within}/${purl}`, type: "library", name, version, purl };
}

function sqliteVersion(): string {
  const database = new Database(":memory:");
  const version = database.prepare("select sqlite_version()").pluck().get();
  database.close();
  return String(version);
}

/** Of version 8 (RFC 9562): the same for the same contents. */
function uuidOf(text: string): string {
  const hex = createHash("sha256").update(text).digest("hex");
  const variant = ((Number.parseInt(hex[16] ?? "0", 16) & 3) | 8).toString(16);
  const groups = [hex.slice(0, 8), hex.slice(8, 12), `8${hex.slice(13, 16)}`];
  return [...groups, `${variant}${hex.slice(17, 20)}`, hex.slice(20, 32)].join("-");
}

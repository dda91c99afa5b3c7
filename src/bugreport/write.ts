// Writes a bug report: one compressed archive that its maker alone may read.

import { closeSync, openSync, rmSync, writeSync } from "node:fs";
import { hostname } from "node:os";
import { gzipSync } from "node:zlib";
import { AppError } from "../core/errors.ts";
import { errnoOf, whyUnreadable } from "../core/file-error.ts";
import type { WallMs } from "../core/time.ts";
import { VERSION } from "../core/version.ts";
import { manifestText } from "./manifest.ts";
import type { Parts } from "./parts.ts";
import { tarOf } from "./tar.ts";

/** `lbd-bugreport-n1-20261127T120000Z`: its folder, and its file's name. */
export function reportName(now: WallMs): string {
  const at = new Date(now).toISOString().replaceAll(/[-:]|\.\d+/g, "");
  const host = hostname()
    .replaceAll(/[^\w-]/g, "-")
    .slice(0, 30);
  return `lbd-bugreport-${host}-${at}`;
}

/** Throws AppError USAGE: there is such a file, or it cannot be written. */
export function writeReport(path: string, parts: Parts, now: WallMs): void {
  const { missing, redacted } = parts;
  const about = { madeAt: new Date(now).toISOString(), host: hostname(), version: VERSION };
  const files = parts.files.map(({ name, bytes }) => ({ name, bytes: bytes.length }));
  const manifest = manifestText({ ...about, files, missing, redacted });
  const all = [{ name: "MANIFEST", bytes: new TextEncoder().encode(manifest) }, ...parts.files];
  const tar = tarOf(all, { folder: reportName(now), modifiedAt: now / 1_000 });
  writeNew(path, gzipSync(tar));
}

function writeNew(path: string, bytes: Uint8Array): void {
  let fd: number | undefined;
  try {
    // Neither an older report nor a link that somebody laid there is written over.
    fd = openSync(path, "wx", 0o600);
    for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at);
  } catch (cause) {
    const code = errnoOf(cause);
    if (fd !== undefined) rmSync(path, { force: true });
    const why =
      code === "EEXIST"
        ? "there is such a file already; name another one with --file"
        : code === "ENOENT"
          ? "there is no such folder; name another file with --file"
          : `${whyUnreadable(cause)}; name another file with --file`;
    throw new AppError("USAGE", `Cannot write "${path}": ${why}`, { cause });
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

// The daemon's files on this host: state, disk, the group of the socket and who asks.

import {
  accessSync,
  closeSync,
  constants,
  lstatSync,
  openSync,
  readFileSync,
  readSync,
  statfsSync,
} from "node:fs";
import { userInfo } from "node:os";
import { dirname } from "node:path";
import { errorText } from "../core/errors.ts";
import { errnoOf } from "../core/file-error.ts";
import { type Facts, known, type StateFact, unknown } from "../doctor/facts.ts";

/** The first bytes of every SQLite file. */
const SQLITE_MAGIC = "SQLite format 3\0";

export function gatherState(stateFile: string): StateFact {
  const folder = dirname(stateFile);
  return { folder, problem: stateProblem(folder, stateFile), disk: diskOf(folder) };
}

function stateProblem(folder: string, file: string): StateFact["problem"] {
  try {
    if (!lstatSync(folder).isDirectory()) return "not-a-folder";
    accessSync(folder, constants.R_OK | constants.X_OK);
  } catch (thrown) {
    const code = errnoOf(thrown);
    if (code === "ENOTDIR") return "not-a-folder";
    return code === "ENOENT" ? "missing" : "unreadable";
  }
  try {
    accessSync(folder, constants.W_OK);
  } catch (thrown) {
    return errnoOf(thrown) === "EROFS" ? "read-only" : "unreadable";
  }
  return fileProblem(file);
}

function fileProblem(file: string): StateFact["problem"] {
  let fd: number | undefined;
  try {
    fd = openSync(file, "r");
    const start = Buffer.alloc(SQLITE_MAGIC.length);
    const count = readSync(fd, start);
    // One that is made this moment is empty.
    return count === 0 || start.toString("latin1") === SQLITE_MAGIC ? null : "not-a-database";
  } catch (thrown) {
    return errnoOf(thrown) === "ENOENT" ? null : "file-unreadable";
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

function diskOf(folder: string): StateFact["disk"] {
  let at = folder;
  for (;;) {
    try {
      const { bsize, bavail, blocks, ffree, files } = statfsSync(at);
      return known({
        freeBytes: bsize * bavail,
        totalBytes: bsize * blocks,
        freeFiles: ffree,
        totalFiles: files,
      });
    } catch (thrown) {
      // Before the first start it is the disk of the folder above that counts.
      if (errnoOf(thrown) !== "ENOENT" || at === "/") return unknown(errorText(thrown));
      at = dirname(at);
    }
  }
}

export function gatherUser(group: string): Facts["user"] {
  const { username, uid } = userInfo();
  const line = groupLine(group);
  const number = Number(line?.split(":")[2] ?? Number.NaN);
  const groups = [process.getgid?.(), ...(process.getgroups?.() ?? [])];
  return {
    name: username,
    isRoot: uid === 0,
    group,
    groupExists: line !== undefined,
    isMember: groups.includes(number),
  };
}

function groupLine(group: string): string | undefined {
  const lines = readFileSync("/etc/group", "utf8").split("\n");
  return lines.find((entry) => entry.startsWith(`${group}:`));
}

// The files of this host that a node's credentials are in. They belong to whoever the daemon runs
// as: the owner of the state folder, which systemd gives to the unit's user, or the user lbd.

import { execFileSync } from "node:child_process";
import {
  accessSync,
  chownSync,
  constants,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { AppError } from "../core/errors.ts";
import { errnoOf, whyUnreadable } from "../core/file-error.ts";
import { type Owner, writeSecretFile } from "../k8s-sync/secret-file.ts";

export interface HostPlaces {
  readonly kubeconfig: string;
  readonly stateFile: string;
}

const DAEMON_USER = "lbd";
const TOKEN_FILE = "token";

/** Beside the state: the one folder that the daemon may write to. */
export function tokenFileOf({ stateFile }: HostPlaces): string {
  return join(dirname(stateFile), TOKEN_FILE);
}

/** Throws AppError REFUSED when credentials could not be written: before anything is changed. */
export function checkWritable(places: HostPlaces, how: string): void {
  for (const folder of [dirname(places.kubeconfig), dirname(places.stateFile)]) {
    const there = existsSync(folder) ? folder : dirname(folder);
    try {
      accessSync(there, constants.W_OK);
    } catch (cause) {
      const message = `Cannot write into "${folder}": ${whyUnreadable(cause)}; run it as: ${how}`;
      throw new AppError("REFUSED", message, { cause });
    }
  }
}

/** Text of a file; null: there is none. */
export function textOf(path: string): string | null {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    if (errnoOf(cause) === "ENOENT") return null;
    throw new AppError("REFUSED", `Cannot read "${path}": ${whyUnreadable(cause)}`, { cause });
  }
}

/** False: it was so already. */
export function writeSecret(path: string, text: string, places: HostPlaces): boolean {
  const owner = daemonOwner(places);
  if (textOf(path) === text && isSecret(path, owner)) return false;
  try {
    makeFolder(dirname(path), { isState: dirname(path) === dirname(places.stateFile), owner });
    writeSecretFile(path, text, owner);
  } catch (cause) {
    throw new AppError("REFUSED", `Cannot write "${path}": ${whyUnreadable(cause)}`, { cause });
  }
  return true;
}

/** False: it was not there. */
export function removeFile(path: string): boolean {
  if (!existsSync(path)) return false;
  try {
    rmSync(path);
  } catch (cause) {
    throw new AppError("REFUSED", `Cannot remove "${path}": ${whyUnreadable(cause)}`, { cause });
  }
  return true;
}

function makeFolder(folder: string, about: { isState: boolean; owner: Owner | null }): void {
  if (existsSync(folder)) return;
  mkdirSync(folder, { mode: about.isState ? 0o700 : 0o755 });
  if (about.isState && about.owner !== null) chownSync(folder, about.owner.uid, about.owner.gid);
}

function isSecret(path: string, owner: Owner | null): boolean {
  const { mode, uid } = statSync(path);
  return (mode & 0o077) === 0 && (owner === null || uid === owner.uid);
}

/** Null: this process's own user. */
function daemonOwner({ stateFile }: HostPlaces): Owner | null {
  // Only root can give files away.
  if (process.getuid?.() !== 0) return null;
  const folder = dirname(stateFile);
  if (existsSync(folder)) {
    const { uid, gid } = statSync(folder);
    if (uid !== 0) return { uid, gid };
  }
  // The unit's user, to whom systemd gives the folder when it starts the daemon.
  try {
    return { uid: idOf("-u"), gid: idOf("-g") };
  } catch {
    return null;
  }
}

function idOf(flag: string): number {
  const stdio = ["ignore", "pipe", "ignore"] as const;
  return Number(execFileSync("id", [flag, DAEMON_USER], { encoding: "utf8", stdio: [...stdio] }));
}

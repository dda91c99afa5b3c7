// Writes a file that others must not read: whole or not at all, for its owner alone. What was there
// before stays until the new content is on the disk.

import { randomBytes } from "node:crypto";
import { closeSync, fchownSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from "node:fs";

export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/** Throws what the file system throws. `owner`: whom it is to belong to, when not this process. */
export function writeSecretFile(path: string, text: string, owner: Owner | null = null): void {
  // A new name each time: the folder may belong to a user who is trusted less than this process.
  const fresh = `${path}.${randomBytes(6).toString("hex")}`;
  const file = openSync(fresh, "wx", 0o600);
  try {
    writeSync(file, text);
    if (owner !== null) fchownSync(file, owner.uid, owner.gid);
    fsyncSync(file);
    closeSync(file);
    renameSync(fresh, path);
  } catch (thrown) {
    rmSync(fresh, { force: true });
    throw thrown;
  }
}

// The schema of the state file, as numbered steps; `PRAGMA user_version` says how many were done.
// A step that was released is never changed: a new one follows it.

export const MIGRATIONS: readonly string[] = [
  `
  -- The cluster as it was last synced: raw objects, for working on without the API.
  CREATE TABLE snapshot (
    kind TEXT NOT NULL,
    key TEXT NOT NULL,
    object TEXT NOT NULL,
    PRIMARY KEY (kind, key)
  ) WITHOUT ROWID;

  CREATE TABLE allocation (
    address TEXT NOT NULL,
    service TEXT NOT NULL,
    pool TEXT NOT NULL,
    PRIMARY KEY (address, service)
  ) WITHOUT ROWID;
  CREATE INDEX allocation_of_service ON allocation (service);

  -- Every VIP with its owner and epoch as last known.
  CREATE TABLE tenure (
    address TEXT NOT NULL PRIMARY KEY,
    owner TEXT,
    epoch INTEGER NOT NULL
  ) WITHOUT ROWID;

  CREATE TABLE history (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    address TEXT NOT NULL,
    change TEXT NOT NULL,
    node TEXT,
    epoch INTEGER NOT NULL,
    cause TEXT NOT NULL,
    detail TEXT NOT NULL
  );
  CREATE INDEX history_of_address ON history (address, id);
  `,
  `
  -- Single values that outlive a restart, such as the key of the beacons.
  CREATE TABLE setting (
    name TEXT NOT NULL PRIMARY KEY,
    value BLOB NOT NULL
  ) WITHOUT ROWID;
  `,
  `
  -- Addresses that no Service has any more, with the one that had it, for those that come back.
  CREATE TABLE freed (
    address TEXT NOT NULL PRIMARY KEY,
    service TEXT NOT NULL,
    at INTEGER NOT NULL
  ) WITHOUT ROWID;
  `,
];

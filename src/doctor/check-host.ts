// The daemon's own place on this host: its unit, files, disk and socket, and who may ask it.

import { formatMegabytes } from "./durations.ts";
import type { Facts, SocketFact, StateFact } from "./facts.ts";
import type { DoctorFinding, Verdict } from "./verdict.ts";
import { error, foundOr, ifKnown, ok, skipped, warning } from "./verdict.ts";

/** SQLite needs room for its write-ahead log; below this a write may fail at any time. */
const FREE_BYTES_MIN = 16_000_000;
const FREE_BYTES_SOON = 200_000_000;
/** Of a small disk, this part is enough. */
const FREE_PART_SOON = 0.05;
const FREE_FILES_MIN = 16;

export function checkNodeFile({ nodeFile }: Facts): Verdict {
  const { path, problem } = nodeFile;
  if (problem === null) return ok(`"${path}" is valid`);
  const what = "The node file cannot be used";
  return foundOr([error(what, problem, `edit ${path}; lbd --check --config ${path}`)], "");
}

export function checkDaemon({ daemon, unit, socket }: Facts): Verdict {
  if (daemon.known) {
    const { version, findings } = daemon.value;
    const told = findings.map(({ health, what, cause, next }): DoctorFinding => {
      return (health === "failing" ? error : warning)(what, cause, next);
    });
    return foundOr(told, `lbd ${version} runs, and complains of nothing`);
  }
  if (unit.known && unit.value.active === "failed") {
    const cause = `systemd says so (result: ${unit.value.result})`;
    const fix = "journalctl -u lbd -n 50; when mended: systemctl restart lbd";
    return foundOr([error("The daemon has failed", cause, fix)], "");
  }
  if (socket.state === "forbidden") return skipped(daemon.why);
  const isActive = unit.known && unit.value.active === "active";
  if (!isActive && socket.state !== "lbd") return skipped(daemon.why);
  const fix = "journalctl -u lbd -n 50; systemctl restart lbd";
  const what = "The daemon runs, and does not answer";
  return foundOr([error(what, daemon.why, fix)], "");
}

export function checkSocket({ socket }: Facts): Verdict {
  const { path, state } = socket;
  switch (state) {
    case "missing":
      return ok(`"${path}" is free`);
    case "nobody-listens":
      return ok(`"${path}" is left over, and is removed at the next start`);
    case "forbidden":
      return skipped(`"${path}" may not be opened by this user`);
    case "lbd":
      return ok(`lbd answers on "${path}"`);
    case "not-a-socket":
    case "other":
      return foundOr([socketFinding(socket)], "");
  }
}

function socketFinding({ path, state, holder }: SocketFact): DoctorFinding {
  const what = `lbd cannot listen on "${path}"`;
  if (state === "not-a-socket") {
    const fix = `ls -l ${path}; move it away, or another socket in the node file`;
    return error(what, "something that is no socket lies there", fix);
  }
  const cause = holder === null ? "another process answers there" : `${holder} answers there`;
  return error(what, cause, "ss -xlp; end that process, or another socket in the node file");
}

export function checkGroup({ user, socket }: Facts): Verdict {
  const { name, isRoot, group, groupExists, isMember } = user;
  if (!groupExists) {
    const what = "Nobody but root may use lbctl";
    const cause = `there is no group "${group}" (socketGroup in the node file)`;
    return foundOr([warning(what, cause, `groupadd --system ${group}; systemctl restart lbd`)], "");
  }
  if (isRoot || isMember || socket.state === "lbd") return ok(`${name} may use lbctl`);
  const what = `${name} may not use lbctl`;
  const cause = `only root and members of the group "${group}" may open the socket`;
  return foundOr([warning(what, cause, `sudo usermod -aG ${group} ${name}; log in anew`)], "");
}

type Problem = Exclude<StateFact["problem"], null | "missing">;

const STATE: Readonly<Record<Problem, readonly [cause: string, fix: string]>> = {
  "not-a-folder": ["a file lies where the folder should be", "move it away"],
  unreadable: ["this user may not read the folder", "run lbctl doctor as root"],
  "read-only": ["nothing can be written there", "mount; the file system may be read-only"],
  "file-unreadable": ["its database cannot be opened", "ls -l; the owner has to be who runs lbd"],
  "not-a-database": [
    "its database is damaged: it is no SQLite file",
    "nothing: lbd moves it aside at its start, and rebuilds it from the API",
  ],
};

export function checkState({ state, user }: Facts): Verdict {
  const { folder, problem } = state;
  if (problem === null) return ok(`"${folder}" can be read and written`);
  if (problem === "missing") return ok(`"${folder}" is made at the first start`);
  // Of root's own folder somebody else cannot say anything.
  if (problem === "unreadable" && !user.isRoot) return skipped("it is for root to look");
  const [cause, fix] = STATE[problem];
  const what =
    "What this node remembers cannot be kept: after a restart without the API it is gone";
  return foundOr([error(what, `"${folder}": ${cause}`, fix)], "");
}

export function checkDisk({ state }: Facts): Verdict {
  return ifKnown(state.disk, ({ freeBytes, totalBytes, freeFiles, totalFiles }) => {
    const free = formatMegabytes(freeBytes);
    const fix = `df -h ${state.folder}; journalctl --vacuum-size=200M; apt clean`;
    const isFull = freeBytes < FREE_BYTES_MIN;
    const soon = Math.min(FREE_BYTES_SOON, totalBytes * FREE_PART_SOON);
    if (isFull || freeBytes < soon) {
      const what = isFull
        ? "The disk of the state is full"
        : "The disk of the state is nearly full";
      const cause = `${free} of ${formatMegabytes(totalBytes)} are free at "${state.folder}"`;
      return foundOr([(isFull ? error : warning)(what, cause, fix)], "");
    }
    // File systems that make them as they are needed say that there are none.
    if (totalFiles > 0 && freeFiles < FREE_FILES_MIN) {
      const cause = `${freeFiles} of ${totalFiles} inodes are free at "${state.folder}"`;
      const what = "The disk of the state can hold no more files";
      return foundOr([error(what, cause, `df -i ${state.folder}`)], "");
    }
    return ok(`${free} are free`);
  });
}

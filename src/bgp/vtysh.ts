// FRR's shell, vtysh: the one way to its daemons. It may be missing, refuse, or hang.

import { execFile } from "node:child_process";
import { accessSync, constants, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { errnoOf } from "../core/file-error.ts";

/** What FRR said, or in one sentence why it said nothing, with what to do. */
export type VtyAnswer =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly kind: VtyFailure; readonly message: string };

/**
 * `missing`: no FRR on this host; `down`: no bgpd at work; `denied`: not for this user; `hung`: no
 * answer in time; `unwritten`: the disk takes no file for it; `refused`: a command is not
 * accepted.
 */
export type VtyFailure = "missing" | "down" | "denied" | "hung" | "unwritten" | "refused";

export interface Vty {
  /** What these commands print. */
  ask(commands: readonly string[]): Promise<VtyAnswer>;
  /** Lines for the configuration mode. All are tried, also after one that is refused. */
  configure(lines: readonly string[]): Promise<VtyAnswer>;
}

export interface VtyshOptions {
  /** Path of the program. */
  readonly program: string;
  /** Folder of the daemons' sockets. */
  readonly sockets: string;
  /** For the commands' text, which may hold passwords: nobody else may read it. */
  readonly folder: string;
  readonly timeoutMs?: number;
}

const TIMEOUT_MS = 10_000;
/** The configuration of a router with some hundred thousand lines. */
const OUTPUT_BYTES_MAX = 64 * 1_024 * 1_024;
const NOBODY = /failed to connect to any daemons|bgpd is not running/;
/** What vtysh prints for a command that it, or a daemon, does not take. */
const REFUSED =
  /^(?:line \d+: |% (?:Unknown|Command incomplete|Ambiguous|There is no|Malformed)).*$/m;

export class Vtysh implements Vty {
  readonly #options: VtyshOptions;

  constructor(options: VtyshOptions) {
    this.#options = options;
  }

  ask(commands: readonly string[]): Promise<VtyAnswer> {
    return this.#run(commands.flatMap((command) => ["-c", command]));
  }

  async configure(lines: readonly string[]): Promise<VtyAnswer> {
    // The same each time: one that was left behind by a kill is gone with the next.
    const file = join(this.#options.folder, "for-frr.conf");
    try {
      writeFileSync(file, `${lines.join("\n")}\n`, { mode: 0o600 });
    } catch (thrown) {
      const message = `Cannot write "${file}", which is for FRR: ${errnoOf(thrown)}`;
      return { ok: false, kind: "unwritten", message };
    }
    try {
      const answer = await this.#run(["-f", file]);
      const refused = answer.ok ? REFUSED.exec(answer.text) : null;
      if (refused === null) return answer;
      return { ok: false, kind: "refused", message: `FRR refuses: ${withoutPassword(refused[0])}` };
    } finally {
      removed(file);
    }
  }

  #run(argv: readonly string[]): Promise<VtyAnswer> {
    const { program, sockets, timeoutMs = TIMEOUT_MS } = this.#options;
    const unreachable = whyUnreachable(program, join(sockets, "bgpd.vty"));
    if (unreachable !== null) return Promise.resolve(unreachable);
    const limits = { timeout: timeoutMs, maxBuffer: OUTPUT_BYTES_MAX } as const;
    const options = { ...limits, killSignal: "SIGKILL", encoding: "utf8" } as const;
    const all = ["--vty_socket", sockets, ...argv];
    return new Promise<VtyAnswer>((resolve) => {
      execFile(program, all, options, (error, stdout, stderr) => {
        const said = `${stdout}${stderr}`;
        if (error?.killed === true) return resolve(hung(timeoutMs));
        if (NOBODY.test(said)) return resolve(down());
        if (error === null) return resolve({ ok: true, text: said });
        const why = REFUSED.exec(said)?.[0] ?? said.trim().split("\n").at(-1) ?? "";
        const message = `vtysh failed: ${withoutPassword(why === "" ? error.message : why)}`;
        resolve({ ok: false, kind: "refused", message });
      });
    }).catch((thrown: unknown): VtyAnswer => {
      const message = `Cannot start ${program}: ${errnoOf(thrown)}`;
      return { ok: false, kind: "hung", message };
    });
  }
}

/** As far as the disk lets it. */
function removed(file: string): void {
  try {
    rmSync(file, { force: true });
  } catch {
    // It is overwritten the next time.
  }
}

/** FRR repeats the line that it refuses. */
export function withoutPassword(text: string): string {
  return text.replace(/ password .*/, " password ...");
}

/** Told apart here: vtysh says the same of all of them. */
function whyUnreachable(program: string, socket: string): VtyAnswer | null {
  try {
    accessSync(program, constants.X_OK);
  } catch {
    const message = `FRR is not installed (no ${program}): sudo apt install frr`;
    return { ok: false, kind: "missing", message };
  }
  try {
    accessSync(socket, constants.R_OK | constants.W_OK);
    return null;
  } catch (thrown) {
    return errnoOf(thrown) === "EACCES" ? denied(socket) : down();
  }
}

function denied(socket: string): VtyAnswer {
  const message =
    `FRR does not let lbd in (${socket}): sudo adduser lbd frrvty, ` +
    "then sudo systemctl restart lbd";
  return { ok: false, kind: "denied", message };
}

function down(): VtyAnswer {
  const message =
    "FRR's bgpd is not running: set bgpd=yes in /etc/frr/daemons, " +
    "then sudo systemctl restart frr";
  return { ok: false, kind: "down", message };
}

function hung(timeoutMs: number): VtyAnswer {
  const message =
    `FRR did not answer vtysh within ${timeoutMs / 1_000} s: look at journalctl -u frr; ` +
    "it is tried again";
  return { ok: false, kind: "hung", message };
}

// What a script of scripts/ provides for the lab: built on first use, which may take minutes.

import { spawn } from "node:child_process";
import { join } from "node:path";

const SCRIPTS = join(import.meta.dirname, "../../scripts");

const folders = new Map<string, Promise<string>>();

/** The folder that the script prints. Its progress is shown on standard error. */
export function provided(script: string): Promise<string> {
  const folder = folders.get(script) ?? provide(script);
  folders.set(script, folder);
  return folder;
}

function provide(script: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(join(SCRIPTS, script), [], { stdio: ["ignore", "pipe", "inherit"] });
    let printed = "";
    child.stdout.on("data", (chunk: Buffer) => {
      printed += chunk.toString();
    });
    child.on("error", reject);
    child.on("close", (code) => {
      if (code === 0) resolve(printed.trim());
      else reject(new Error(`Cannot provide what the lab needs: ${script} ended with ${code}`));
    });
  });
}

// Debian's BIRD on a host of the lab, as a router of another make. Nothing is installed on the
// machine.

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { eventually } from "./eventually.ts";
import type { LabHost } from "./host.ts";
import { provided } from "./provided.ts";

export class LabBird {
  readonly host: LabHost;
  readonly #root: string;
  readonly #folder: string;

  private constructor(host: LabHost, root: string) {
    this.host = host;
    this.#root = root;
    this.#folder = join(host.folder, "bird");
    mkdirSync(this.#folder, { recursive: true });
  }

  /** With this configuration, beside what every router has. */
  static async start(host: LabHost, configuration: string): Promise<LabBird> {
    const bird = new LabBird(host, await provided("provide-routing.sh"));
    const file = (name: string): string => join(bird.#folder, name);
    writeFileSync(file("bird.conf"), configuration);
    const argv = ["-f", "-c", file("bird.conf"), "-s", file("bird.ctl"), "-P", file("bird.pid")];
    host.spawn("bird", [join(bird.#root, "usr/sbin/bird"), ...argv], { env: bird.#environment });
    await eventually("BIRD to answer", () => bird.ask("show status"), {
      until: (text) => text.includes("Daemon is up and running"),
    });
    return bird;
  }

  /** What `birdc` prints. */
  ask(command: string): Promise<string> {
    const argv = [join(this.#root, "usr/sbin/birdc"), "-s", join(this.#folder, "bird.ctl")];
    return this.host.run([...argv, command], { env: this.#environment });
  }

  get #environment(): Record<string, string> {
    const folders = ["usr/lib/x86_64-linux-gnu", "lib/x86_64-linux-gnu"];
    const path = folders.map((folder) => join(this.#root, folder)).join(":");
    return { PATH: process.env.PATH ?? "", LD_LIBRARY_PATH: path };
  }
}

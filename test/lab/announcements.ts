// Hears on the lab's client who announces which addresses when their owner has died.

import { join } from "node:path";
import type { Announcements, AnnouncementsQuestion } from "./announcements-program.ts";
import { arpProbeArguments } from "./arp-probe.ts";
import type { Lab } from "./lab.ts";
import { LabProgram } from "./lab-program.ts";
import type { LabNode } from "./node.ts";

const PROGRAM = join(import.meta.dirname, "announcements-program.ts");

export class AnnouncementListener {
  readonly #program: LabProgram<AnnouncementsQuestion, Announcements>;

  private constructor(program: LabProgram<AnnouncementsQuestion, Announcements>) {
    this.#program = program;
  }

  static async start(lab: Lab): Promise<AnnouncementListener> {
    const argv = [PROGRAM, ...(await arpProbeArguments(lab.client))];
    return new AnnouncementListener(new LabProgram(lab, lab.client, argv));
  }

  /** From now on, of all hosts but that one; what was heard before is forgotten. */
  async begin(owner: LabNode): Promise<void> {
    await this.#program.ask({ kind: "begin", owner: owner.mac() });
  }

  report(): Promise<Announcements> {
    return this.#program.ask({ kind: "report" });
  }

  stop(): void {
    this.#program.end();
  }
}

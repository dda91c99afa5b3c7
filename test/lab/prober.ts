// A client that asks for an address every millisecond while something strikes its owner, and what
// it saw: who answered before and after, how long nobody did, and whether two did.

import { join } from "node:path";
import { arpProbeArguments } from "./arp-probe.ts";
import { type Blackout, blackoutOf, type Recording } from "./blackout.ts";
import type { Lab } from "./lab.ts";
import { LabProgram } from "./lab-program.ts";
import type { LabNode } from "./node.ts";
import type { ProberAnswer, ProberQuestion } from "./prober-program.ts";
import { udpProbeArguments } from "./udp-probe.ts";

const PROGRAM = join(import.meta.dirname, "prober-program.ts");
const BEGIN_TIMEOUT_MS = 20_000;
/** More than the Lease's 15 s, the read that confirms it, and a slow machine. */
const END_TIMEOUT_MS = 40_000;

/** What strikes, and how it is watched. */
export interface Watch {
  readonly owner: LabNode;
  /** Boot clock, ms: when it struck. */
  readonly at: number;
  /** How long it is watched at least, from then on, in ms. */
  readonly watchMs: number;
  /** Another node is to answer in the end, or nothing is to move. */
  readonly keepsOwner: boolean;
}

export interface Watched {
  readonly recording: Recording;
  readonly blackout: Blackout;
  /** Who answers in the end; the owner, where nothing has moved. */
  readonly next: LabNode;
}

export class Prober {
  readonly #lab: Lab;
  readonly #program: LabProgram<ProberQuestion, ProberAnswer>;

  private constructor(lab: Lab, program: LabProgram<ProberQuestion, ProberAnswer>) {
    this.#lab = lab;
    this.#program = program;
  }

  /** On the lab's client, with a cold cache: it asks by ARP. */
  static async start(lab: Lab): Promise<Prober> {
    return Prober.#start(lab, ["cold", ...(await arpProbeArguments(lab.client))]);
  }

  /** With a warm one: it sends datagrams to this port, behind which `startUdpBackend` answers. */
  static startWarm(lab: Lab, port: number): Prober {
    return Prober.#start(lab, ["warm", ...udpProbeArguments(lab, port)]);
  }

  static #start(lab: Lab, argv: readonly string[]): Prober {
    return new Prober(lab, new LabProgram(lab, lab.client, [PROGRAM, ...argv]));
  }

  /** The node that answers, once it alone has done so for a second. All is recorded from now on. */
  async begin(address: string): Promise<LabNode> {
    const mac = await this.#program.ask({ kind: "begin", address, timeoutMs: BEGIN_TIMEOUT_MS });
    if (typeof mac !== "string") throw new Error(`Nobody answers steadily for ${address}`);
    return nodeOf(this.#lab, mac);
  }

  /** Ends it when one node answers steadily. Throws when nobody does, or none takes over. */
  async end({ owner, at, watchMs, keepsOwner }: Watch): Promise<Watched> {
    const recording = (await this.#program.ask({
      kind: "end",
      at: at + watchMs,
      unless: keepsOwner ? null : owner.mac(),
      timeoutMs: watchMs + END_TIMEOUT_MS,
    })) as Recording;
    const blackout = blackoutOf(recording, { at, owner: owner.mac() });
    if (blackout === null) throw new Error("Nobody answered after the fault");
    const next = nodeOf(this.#lab, blackout.next);
    if (next === owner && !keepsOwner) throw new Error("Nobody took over");
    return { recording, blackout, next };
  }

  stop(): void {
    this.#program.end();
  }
}

function nodeOf(lab: Lab, mac: string): LabNode {
  const node = lab.nodes.find((candidate) => candidate.mac() === mac);
  if (node === undefined) throw new Error(`${mac}, which answers, is no node of the lab`);
  return node;
}

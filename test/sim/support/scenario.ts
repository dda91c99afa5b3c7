// Plays a scenario: does its commands to a simulated cluster, and writes down what happened. The
// same text gives the same trace everywhere.

import { errorText } from "../../../src/core/errors.ts";
import { UNCOUNTED } from "./harm.ts";
import type { SimNode } from "./node.ts";
import { type Command, formatScript, parseScript } from "./scenario-script.ts";
import { Stage } from "./scenario-stage.ts";

interface Syntax {
  /** The command as it must be written. */
  readonly usage: string;
  /** Of what follows its name. */
  readonly pattern: RegExp;
  readonly run: (stage: Stage, first: string, second: string) => void;
}

const NODE = /^(owner|n\d)$/;

const COMMANDS: Readonly<Record<string, Syntax>> = {
  cluster: {
    usage: "cluster nodes=N gateway=yes|no",
    pattern: /^nodes=([1-9]) gateway=(yes|no)$/,
    run: (stage, nodes, gateway) => stage.build(Number(nodes), gateway === "yes"),
  },
  run: {
    usage: "run MS",
    pattern: /^(\d+)$/,
    run: (stage, ms) => stage.run(Number(ms)),
  },
  settle: { usage: "settle", pattern: /^$/, run: (stage) => stage.settle() },
  crash: ofNode("crash", (node) => node.crash()),
  start: ofNode("start", (node) => node.start()),
  stop: ofNode("stop", (node) => node.stop()),
  drain: ofNode("drain", (node) => node.setDraining(true)),
  undrain: ofNode("undrain", (node) => node.setDraining(false)),
  restart: {
    usage: "restart owner|NODE MS",
    pattern: /^(owner|n\d) (\d+)$/,
    run: (stage, name, downMs) => stage.node(name).restart(Number(downMs)),
  },
  freeze: ofNode("freeze", (node) => node.freeze()),
  stall: ofNode("stall", (node) => node.stall()),
  wake: ofNode("wake", (node) => node.wake()),
  filter: {
    usage: "filter beacons owner|NODE",
    pattern: /^beacons (owner|n\d)$/,
    run: (stage, name) => stage.segment.mark("filtered", stage.node(name).port, UNCOUNTED),
  },
  api: {
    usage: "api down|up",
    pattern: /^(down|up)$/,
    run: (stage, how) => {
      for (const { link } of stage.cluster.nodes) how === "up" ? link.up() : link.down();
    },
  },
  partition: {
    usage: "partition NODES | NODES",
    pattern: /^([n\d ]+) \| ([n\d ]+)$/,
    run: (stage, one, other) => stage.partition(one.split(" "), other.split(" ")),
  },
  join: {
    usage: "join",
    pattern: /^$/,
    run: ({ segment }) => segment.partition([]),
  },
};

/** The text with its traces as they are now. Throws, with file and line, when it makes no sense. */
export function playScenario(file: string, text: string): string {
  const stage = new Stage();
  const blocks = parseScript(text);
  const traces = blocks.map(({ commands }) => {
    stage.beginBlock();
    for (const command of commands) play(stage, file, command);
    return stage.takeTrace();
  });
  return formatScript(blocks, traces);
}

function play(stage: Stage, file: string, { line, name, rest }: Command): void {
  try {
    const syntax = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
    if (syntax === undefined) {
      throw new Error(`there is no "${name}", but ${Object.keys(COMMANDS).join(", ")}`);
    }
    const match = syntax.pattern.exec(rest);
    if (match === null) throw new Error(`"${`${name} ${rest}`.trim()}" is not "${syntax.usage}"`);
    syntax.run(stage, match[1] ?? "", match[2] ?? "");
  } catch (cause) {
    throw new Error(`Cannot play ${file}:${line}: ${errorText(cause)}`, { cause });
  }
}

function ofNode(name: string, run: (node: SimNode) => void): Syntax {
  return {
    usage: `${name} owner|NODE`,
    pattern: NODE,
    run: (stage, node) => run(stage.node(node)),
  };
}

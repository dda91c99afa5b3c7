// What a command gets: the client, the format, and where to write.

import type { Command } from "commander";
import { ApiClient } from "../api/client.ts";
import type { Format, Table } from "./output.ts";
import { render, renderLine } from "./output.ts";

export interface Context {
  readonly client: Pick<ApiClient, "get" | "post" | "follow">;
  /** Writes the answer to stdout in the format asked for. */
  readonly show: <T>(answer: T, table: Table<T>) => void;
  /** One of many answers: a line of text, of JSON, or a document of YAML. */
  readonly line: <T>(answer: T, text: (answer: T) => string) => void;
  /** Text for people, whatever the format. */
  readonly write: (text: string) => void;
  /** Tells the operator something beside the answer, on stderr. */
  readonly say: (text: string) => void;
  /** The exit status when nothing throws; 0 until set. */
  readonly exitWith: (status: number) => void;
}

export type MakeContext = (command: Command) => Context;

/** Reads the options that every command has. */
export function contextFor(command: Command): Context {
  const { socket, output } = command.optsWithGlobals<{ socket: string; output: Format }>();
  return {
    client: new ApiClient(socket),
    show: (answer, table) => {
      process.stdout.write(render(answer, output, table));
    },
    line: (answer, text) => {
      process.stdout.write(renderLine(answer, output, text));
    },
    write: (text) => {
      process.stdout.write(text);
    },
    say: (text) => {
      process.stderr.write(`lbctl: ${text}\n`);
    },
    exitWith: (status) => {
      process.exitCode = status;
    },
  };
}

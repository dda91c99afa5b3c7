// An interpreter for the part of classic BPF that this project's filters use, and the checks the
// kernel makes before it takes a program. Other instructions are refused, not guessed.

import type { BpfInstruction } from "../../src/core/bpf.ts";

export interface BpfInput {
  readonly frame: Uint8Array;
  /** SKF_AD_PKTTYPE: 0 for this host, 1 broadcast, 2 multicast, 3 for another host. */
  readonly packetType?: number;
}

const INSTRUCTIONS_MAX = 4096;
const ANCILLARY = 0xfffff000;
const ANCILLARY_PACKET_TYPE = ANCILLARY + 4;

const LOADS: Readonly<Record<number, 1 | 2 | 4>> = { 32: 4, 40: 2, 48: 1 };

/** How many bytes of the frame the program keeps; 0 drops it. */
export function runBpf(program: readonly BpfInstruction[], input: BpfInput): number {
  let accumulator = 0;
  const kept: number[] = [];
  let position = 0;
  // Jumps only go forward, so the program's length bounds the steps.
  for (let steps = 0; steps < program.length; steps++) {
    const { code, jt, jf, k } = at(program, position++);
    if (code === 0x06) return k;
    const bytes = LOADS[code];
    if (bytes !== undefined) {
      const value = load(input, k, bytes);
      if (value === null) return 0;
      accumulator = value;
    } else if (code === 0x02) kept[k] = accumulator;
    else if (code === 0x60) accumulator = keptIn(kept, k);
    else if (code === 0x54) accumulator = (accumulator & k) >>> 0;
    else if (code === 0x15) position += accumulator === k ? jt : jf;
    else if (code === 0x35) position += accumulator >= k ? jt : jf;
    else throw new Error(`unknown instruction 0x${code.toString(16)}`);
  }
  throw new Error("the program does not return");
}

/** What the kernel would refuse (bpf_check_classic), as a list of problems. */
export function bpfProblems(program: readonly BpfInstruction[]): readonly string[] {
  const problems: string[] = [];
  if (program.length < 1 || program.length > INSTRUCTIONS_MAX) problems.push("length");
  for (const [i, { code, jt, jf, k }] of program.entries()) {
    if (jt < 0 || jt > 255 || jf < 0 || jf > 255) problems.push(`${i}: jump does not fit`);
    if (!Number.isInteger(k) || k < 0 || k > 0xffffffff) problems.push(`${i}: k does not fit`);
    const isJump = (code & 7) === 5;
    if ((code === 0x02 || code === 0x60) && k > 15) problems.push(`${i}: no such slot`);
    if (isJump && i + 1 + Math.max(jt, jf) >= program.length) problems.push(`${i}: jumps out`);
  }
  if (program.at(-1)?.code !== 0x06) problems.push("last instruction is no return");
  return problems;
}

function at(program: readonly BpfInstruction[], position: number): BpfInstruction {
  const instruction = program[position];
  if (instruction === undefined) throw new Error(`no instruction at ${position}`);
  return instruction;
}

function keptIn(kept: readonly number[], slot: number): number {
  const value = kept[slot];
  if (value === undefined) throw new Error(`nothing was kept in slot ${slot}`);
  return value;
}

function load(input: BpfInput, offset: number, bytes: 1 | 2 | 4): number | null {
  if (offset === ANCILLARY_PACKET_TYPE) return input.packetType ?? 0;
  if (offset >= ANCILLARY) throw new Error(`unknown ancillary load 0x${offset.toString(16)}`);
  const { frame } = input;
  if (offset + bytes > frame.length) return null;
  const view = new DataView(frame.buffer, frame.byteOffset, frame.length);
  if (bytes === 1) return view.getUint8(offset);
  return bytes === 4 ? view.getUint32(offset) : view.getUint16(offset);
}

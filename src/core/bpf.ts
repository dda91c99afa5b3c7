// Classic BPF, in which the kernel is told what frames a packet socket wants: the instructions that
// the filters of this project are made of (linux/bpf_common.h, linux/filter.h).

/** One instruction, as in struct sock_filter. */
export interface BpfInstruction {
  readonly code: number;
  readonly jt: number;
  readonly jf: number;
  readonly k: number;
}

const LOAD_WORD = 0x20; // BPF_LD | BPF_W | BPF_ABS
const LOAD_HALF = 0x28; // BPF_LD | BPF_H | BPF_ABS
const LOAD_BYTE = 0x30; // BPF_LD | BPF_B | BPF_ABS
const LOAD_KEPT = 0x60; // BPF_LD | BPF_MEM
const KEEP = 0x02; // BPF_ST
const AND = 0x54; // BPF_ALU | BPF_AND | BPF_K
const JUMP_EQUAL = 0x15; // BPF_JMP | BPF_JEQ | BPF_K
const JUMP_GREATER_EQUAL = 0x35; // BPF_JMP | BPF_JGE | BPF_K
const RETURN = 0x06; // BPF_RET | BPF_K

/** Keeps all bytes, so that the true length of an oversized frame shows. */
export const ACCEPT: BpfInstruction = { code: RETURN, jt: 0, jf: 0, k: 0xffffffff };
export const DROP: BpfInstruction = { code: RETURN, jt: 0, jf: 0, k: 0 };

// SKF_AD_OFF + SKF_AD_PKTTYPE: whom the kernel takes the frame to be for.
const ANCILLARY_PACKET_TYPE = 0xfffff000 + 4;
const PACKET_OTHERHOST = 3;

/** Loads from that offset of the frame; beyond its end the frame is dropped. */
export function load(bytes: 1 | 2 | 4, offset: number): BpfInstruction {
  const code = { 1: LOAD_BYTE, 2: LOAD_HALF, 4: LOAD_WORD }[bytes];
  return { code, jt: 0, jf: 0, k: offset };
}

/** Keeps what was loaded in a slot of the scratch memory, 0 to 15. */
export function keep(slot: number): BpfInstruction {
  return { code: KEEP, jt: 0, jf: 0, k: slot };
}

/** Loads what was kept: the kernel makes one instruction of it, and of a load() up to fourteen. */
export function loadKept(slot: number): BpfInstruction {
  return { code: LOAD_KEPT, jt: 0, jf: 0, k: slot };
}

export function and(mask: number): BpfInstruction {
  return { code: AND, jt: 0, jf: 0, k: mask };
}

/** Skips so many instructions when what was loaded is `value`, or is not. */
export function ifEqual(value: number, skip: number, otherwise: number): BpfInstruction {
  return { code: JUMP_EQUAL, jt: skip, jf: otherwise, k: value };
}

export function ifAtLeast(value: number, skip: number, otherwise: number): BpfInstruction {
  return { code: JUMP_GREATER_EQUAL, jt: skip, jf: otherwise, k: value };
}

/** Goes on when what was loaded is `value`. */
export function dropUnless(value: number): readonly BpfInstruction[] {
  return [ifEqual(value, 1, 0), DROP];
}

/**
 * Not only frames to other MACs. A frame of a VLAN that has no interface here reaches the parent
 * interface without its tag and with this type: an answer would go to the wrong network.
 */
export const DROP_FOR_OTHERS: readonly BpfInstruction[] = [
  load(4, ANCILLARY_PACKET_TYPE),
  ifEqual(PACKET_OTHERHOST, 0, 1),
  DROP,
];

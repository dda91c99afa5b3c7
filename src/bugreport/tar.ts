// A tar archive (POSIX.1-1988 ustar) of files in one folder. Names are short and of our own making,
// so nothing of later formats is needed.

export interface ArchiveFile {
  /** Relative path; at most 100 bytes with the folder, ASCII. */
  readonly name: string;
  readonly bytes: Uint8Array;
}

const BLOCK_BYTES = 512;
const NAME_BYTES_MAX = 100;
/** Offsets and lengths of the header's fields. */
const FIELD = {
  name: [0, 100],
  mode: [100, 8],
  uid: [108, 8],
  gid: [116, 8],
  size: [124, 12],
  mtime: [136, 12],
  checksum: [148, 8],
  type: [156, 1],
  magic: [257, 8],
} as const satisfies Readonly<Record<string, readonly [offset: number, length: number]>>;

/** `modifiedAt`: seconds since 1970, of all files. */
export function tarOf(
  files: readonly ArchiveFile[],
  about: { readonly folder: string; readonly modifiedAt: number },
): Uint8Array {
  const blocks = files.flatMap(({ name, bytes }) => {
    const header = headerOf(`${about.folder}/${name}`, bytes.length, about.modifiedAt);
    const rest = bytes.length % BLOCK_BYTES;
    const padding = new Uint8Array(rest === 0 ? 0 : BLOCK_BYTES - rest);
    return [header, bytes, padding];
  });
  // The end of an archive is two empty blocks.
  blocks.push(new Uint8Array(2 * BLOCK_BYTES));
  const all = new Uint8Array(blocks.reduce((sum, block) => sum + block.length, 0));
  let at = 0;
  for (const block of blocks) {
    all.set(block, at);
    at += block.length;
  }
  return all;
}

function headerOf(name: string, size: number, modifiedAt: number): Uint8Array {
  if (name.length > NAME_BYTES_MAX || /[^ -~]/.test(name)) {
    throw new RangeError(`"${name}" is no name for an archive`);
  }
  const header = new Uint8Array(BLOCK_BYTES);
  write(header, "name", name);
  write(header, "mode", octal(0o600, 7));
  write(header, "uid", octal(0, 7));
  write(header, "gid", octal(0, 7));
  write(header, "size", octal(size, 11));
  write(header, "mtime", octal(modifiedAt, 11));
  write(header, "type", "0");
  write(header, "magic", "ustar\u000000");
  // The sum is made with spaces where it will stand.
  write(header, "checksum", "        ");
  const sum = header.reduce((total, byte) => total + byte, 0);
  write(header, "checksum", `${octal(sum, 6)}\u0000 `);
  return header;
}

function write(header: Uint8Array, field: keyof typeof FIELD, text: string): void {
  const [offset, length] = FIELD[field];
  for (let i = 0; i < Math.min(text.length, length); i++) header[offset + i] = text.charCodeAt(i);
}

function octal(value: number, digits: number): string {
  return Math.floor(value).toString(8).padStart(digits, "0");
}

// Tests of reading a body: up to the limit to the byte, in whatever pieces it comes, and never a
// rejection.

import assert from "node:assert/strict";
import type { IncomingMessage } from "node:http";
import { Readable } from "node:stream";
import { test } from "node:test";
import { BODY_BYTES_MAX, readBody } from "../../../src/api/read-body.ts";

function of(...chunks: readonly (string | Uint8Array)[]): Promise<unknown> {
  const bytes = chunks.map((chunk) => Buffer.from(chunk as string));
  return readBody(Readable.from(bytes) as IncomingMessage);
}

/** JSON of exactly so many bytes. */
const sized = (bytes: number) => JSON.stringify("x".repeat(bytes - 2));

const BAD: readonly (readonly [name: string, chunks: readonly (string | Uint8Array)[], RegExp])[] =
  [
    ["one byte too many", [sized(BODY_BYTES_MAX + 1)], /longer than 1572864 bytes$/],
    [
      "one byte too many in the last piece",
      [sized(BODY_BYTES_MAX), " "],
      /longer than 1572864 bytes$/,
    ],
    ["half of it", ['{"force": tr'], /it is not JSON$/],
    ["a byte order mark", ["\ufeff{}"], /it is not JSON$/],
    ["bytes that are no text", [Uint8Array.of(0xff, 0x00)], /it is not JSON$/],
  ];

for (const [name, chunks, words] of BAD) {
  test(`readBody() of ${name} is an error in words`, async () => {
    const body = await of(...chunks);
    assert.ok(body instanceof Error);
    assert.match(body.message, /^Cannot read the body: /);
    assert.match(body.message, words);
  });
}

test("readBody() of a connection that is cut is an error, and no rejection", async () => {
  const request = new Readable({ read() {} });
  const body = readBody(request as IncomingMessage);
  request.push("{");
  request.destroy(new Error("aborted"));
  assert.match(String(await body), /Cannot read the body: the connection was cut within it$/);
});

test("readBody() reads what is too long to its end: its sender listens only then", async () => {
  const request = Readable.from(Array.from({ length: 100 }, () => Buffer.alloc(BODY_BYTES_MAX)));
  assert.ok((await readBody(request as IncomingMessage)) instanceof Error);
  assert.equal(request.readableEnded, true);
});

test("readBody() takes what is just as long as may be", async () => {
  assert.equal(String(await of(sized(BODY_BYTES_MAX))).length, BODY_BYTES_MAX - 2);
});

test("readBody() of nothing is an empty object, and null stays null", async () => {
  assert.deepEqual(await of(), {});
  assert.deepEqual(await of("", ""), {});
  assert.equal(await of("null"), null);
});

test("readBody() joins pieces, be they cut within a character", async () => {
  const bytes = Buffer.from('{"node": "ü"}');
  const pieces = [...bytes].map((byte) => Uint8Array.of(byte));
  assert.deepEqual(await of(...pieces), { node: "ü" });
});

// The systemd unit keeps to what the daemon promises by its exit status.

import assert from "node:assert/strict";
import test from "node:test";
import { ERRORS } from "../../src/core/errors.ts";
import { textOf } from "./support/files.ts";

/** sysexits(3) */
const EX_USAGE = 64;
const EX_CONFIG = 78;

const lines = textOf("systemd/lbd.service").split("\n");

function valuesOf(key: string): readonly string[] {
  return lines.filter((line) => line.startsWith(`${key}=`)).map((line) => line.split("=")[1] ?? "");
}

test("lbd.service does not try again what trying does not mend", () => {
  assert.deepEqual(valuesOf("Restart"), ["on-failure"]);
  assert.deepEqual(valuesOf("RestartPreventExitStatus"), [`${EX_USAGE} ${EX_CONFIG}`]);
  assert.equal(ERRORS.CONFIG_INVALID.exitStatus, EX_CONFIG);
});

test("lbd.service starts nothing whose failure would be tried for ever", () => {
  // RestartPreventExitStatus is for the main process alone: systemd.service(5).
  assert.deepEqual(valuesOf("ExecStartPre"), []);
  // With a minus no failure counts, and none of these waits for what it begins, or hangs.
  const others = [...valuesOf("ExecStartPost"), ...valuesOf("ExecStopPost")];
  assert.deepEqual(
    others.filter((command) => !/^\+-\S+timeout \d \S+ --no-block /.test(command)),
    [],
  );
});

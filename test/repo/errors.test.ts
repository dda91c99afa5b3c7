// The codes that scripts may rely on: a changed one is a visible change here.

import assert from "node:assert/strict";
import test from "node:test";
import { AppError, ERRORS, errorText } from "../../src/core/errors.ts";

test("ERRORS holds these codes and exit statuses", () => {
  const codes = Object.entries(ERRORS).map(([code, { exitStatus }]) => [code, exitStatus]);
  assert.deepEqual(Object.fromEntries(codes), {
    // sysexits.h: EX_CONFIG
    CONFIG_UNREADABLE: 78,
    CONFIG_INVALID: 78,
    KUBECONFIG_INVALID: 78,
    INTERFACE_UNKNOWN: 78,
    // EX_TEMPFAIL
    ALREADY_RUNNING: 75,
    // EX_IOERR
    STORE_UNAVAILABLE: 74,
    SOCKET_UNAVAILABLE: 74,
    // EX_OSERR
    PACKET_SOCKET: 71,
    NETLINK: 71,
    // EX_UNAVAILABLE
    API_UNREACHABLE: 69,
    // lbctl
    DAEMON_UNREACHABLE: 3,
    DAEMON_FORBIDDEN: 5,
    DAEMON_TIMEOUT: 6,
    VERSION_MISMATCH: 5,
    REFUSED: 5,
    NOT_FOUND: 4,
    USAGE: 2,
  });
});

test("AppError carries code, exit status and cause", () => {
  const cause = new Error("ENOENT");
  const error = new AppError("CONFIG_UNREADABLE", 'Cannot read "a"', { cause });
  assert.equal(error.code, "CONFIG_UNREADABLE");
  assert.equal(error.exitStatus, 78);
  assert.equal(error.cause, cause);
  assert.equal(error.name, "AppError");
});

test("AppError without a cause has none", () => {
  assert.equal("cause" in new AppError("USAGE", "Cannot run: no command"), false);
});

const THROWN: readonly (readonly [string, unknown, string])[] = [
  ["no error", undefined, "undefined"],
  ["a text", "broken", "broken"],
  ["an error without text, by its code", Object.assign(new Error(""), { code: "EIO" }), "EIO"],
  ["an error without text and code, by its name", new TypeError(""), "TypeError"],
  ["an error, by its text", new Error("Cannot open"), "Cannot open"],
];

for (const [name, thrown, expected] of THROWN) {
  test(`errorText() of ${name}`, () => {
    assert.equal(errorText(thrown), expected);
  });
}

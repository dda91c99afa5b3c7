// vtysh as lbd meets it: missing, without a daemon, hanging, refusing.

import assert from "node:assert/strict";
import { chmodSync, existsSync, readdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { Vtysh } from "../../../src/bgp/vtysh.ts";
import { tempDir } from "../../support/temp-dir.ts";

/** A stand-in for the program alone: what it says is what FRR 8.4 was seen to say. */
async function vtysh(t: TestContext, script: string, timeoutMs = 5_000) {
  const folder = tempDir(t);
  const program = join(folder, "vtysh");
  writeFileSync(program, `#!/bin/sh\n${script}\n`);
  chmodSync(program, 0o755);
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(join(folder, "bgpd.vty"), resolve));
  t.after(() => server.close());
  return { folder, vty: new Vtysh({ program, sockets: folder, folder, timeoutMs }) };
}

test("what it prints is the answer, and it is told where the sockets are", async (t) => {
  const { vty, folder } = await vtysh(t, 'echo "$@"');
  assert.deepEqual(await vty.ask(["show version"]), {
    ok: true,
    text: `--vty_socket ${folder} -c show version\n`,
  });
});

test("lines to configure are in a file for its owner alone, for as long", async (t) => {
  const { vty, folder } = await vtysh(t, 'stat -c %a "$4"; cat "$4"');
  const answer = await vty.configure(["router bgp 1", "neighbor 10.0.0.1 password s3cret"]);
  const text = "600\nrouter bgp 1\nneighbor 10.0.0.1 password s3cret\n";
  assert.deepEqual(answer, { ok: true, text });
  assert.deepEqual(
    readdirSync(folder).filter((name) => name.endsWith(".conf")),
    [],
  );
});

test("a line that is refused is told, without the password in it", async (t) => {
  const refusing = "echo 'line 2: % Unknown command[25]: neighbor 10.0.0.1 password s3cret'";
  const { vty } = await vtysh(t, `${refusing}; exit 2`);
  const answer = await vty.configure(["x"]);
  assert.equal(answer.ok, false);
  assert.match(
    answer.ok ? "" : answer.message,
    /Unknown command\[25\]: neighbor 10\.0\.0\.1 password \.\.\.$/,
  );
});

test("no program, no daemon, no answer: each is told apart, with what to do", async (t) => {
  const { folder } = await vtysh(t, "");
  const missing = new Vtysh({ program: join(folder, "none"), sockets: folder, folder });
  const down = new Vtysh({ program: join(folder, "vtysh"), sockets: join(folder, "none"), folder });
  const { vty: hanging } = await vtysh(t, "exec sleep 30", 200);
  const { vty: dying } = await vtysh(
    t,
    "echo 'Exiting: failed to connect to any daemons.'; exit 1",
  );
  const kinds = await Promise.all(
    [missing, down, hanging, dying].map(async (vty) => {
      const answer = await vty.ask(["show version"]);
      return answer.ok ? "ok" : `${answer.kind}: ${answer.message}`;
    }),
  );
  assert.match(kinds[0] ?? "", /^missing: FRR is not installed .*: sudo apt install frr$/);
  assert.match(kinds[1] ?? "", /^down: FRR's bgpd is not running: set bgpd=yes/);
  assert.match(kinds[2] ?? "", /^hung: FRR did not answer vtysh within 0\.2 s/);
  assert.match(kinds[3] ?? "", /^down: /);
  assert.ok(existsSync(folder));
});

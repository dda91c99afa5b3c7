// Tests of the membership of solicited-node groups: which sockets are opened, what they join, and
// what becomes of it when an interface goes or the kernel refuses. The sockets are recorded here;
// test/ipv6 has the kernel's.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Ip } from "../../../src/core/address.ts";
import { type GroupSocket, SolicitedNodeGroups } from "../../../src/ndp/groups.ts";

const VIP = "fd00:100::c8" as Ip;
const GROUP = "ff02::1:ff00:c8";
/** The same last three bytes, and so the same group. */
const SAME_GROUP = "fd00:200::c8" as Ip;
const OTHER = "fd00:100::c9" as Ip;
const OTHER_GROUP = "ff02::1:ff00:c9";

/** What was done, in order, as `1 add ff02::…%eth0`: socket 1 is the first that was opened. */
class Recorded {
  readonly done: string[] = [];
  /** Why the kernel refuses to join, or null. */
  refusal: string | null = null;
  /** Interfaces that are no more. */
  readonly gone = new Set<string>();
  #opened = 0;

  readonly open = (): GroupSocket => {
    this.#opened += 1;
    const id = this.#opened;
    const say = (what: string, group: string, zone: string): void => {
      const name = zone.slice("::%".length);
      if (this.gone.has(name)) throw new Error("EINVAL");
      this.done.push(`${id} ${what} ${group}%${name}`);
    };
    return {
      addMembership: (group, zone) => {
        if (this.refusal !== null) throw new Error(this.refusal);
        say("add", group, zone);
      },
      dropMembership: (group, zone) => say("drop", group, zone),
      close: () => void this.done.push(`${id} close`),
    };
  };

  take(): string[] {
    return this.done.splice(0);
  }
}

function recorded() {
  const sockets = new Recorded();
  return { sockets, groups: new SolicitedNodeGroups(sockets.open) };
}

test("join() joins the group of an address once, whichever addresses are asked for in it", () => {
  const { sockets, groups } = recorded();
  groups.join("eth0", VIP);
  groups.join("eth0", VIP);
  groups.join("eth0", SAME_GROUP);
  assert.deepEqual(sockets.take(), [`1 add ${GROUP}%eth0`]);
  groups.leave("eth0", VIP);
  assert.deepEqual(sockets.take(), []);
  groups.leave("eth0", SAME_GROUP);
  assert.deepEqual(sockets.take(), [`1 drop ${GROUP}%eth0`, "1 close"]);
});

test("join() gives each interface sockets of its own", () => {
  const { sockets, groups } = recorded();
  groups.join("eth0", VIP);
  groups.join("eth1", VIP);
  assert.deepEqual(sockets.take(), [`1 add ${GROUP}%eth0`, `2 add ${GROUP}%eth1`]);
});

test("join() opens another socket for each 64 groups: the kernel bounds what one may have", () => {
  const { sockets, groups } = recorded();
  for (let i = 0; i < 65; i++) groups.join("eth0", `fd00:100::1:${i.toString(16)}` as Ip);
  assert.deepEqual(
    sockets.take().filter((line) => line.startsWith("2 ")),
    ["2 add ff02::1:ff01:40%eth0"],
  );
});

test("rejoin() joins all on a new socket before the old one is closed", () => {
  const { sockets, groups } = recorded();
  groups.join("eth0", VIP);
  groups.join("eth0", OTHER);
  groups.join("eth1", VIP);
  sockets.take();
  groups.rejoin("eth0");
  assert.deepEqual(sockets.take(), [
    ...[`3 add ${GROUP}%eth0`, `3 add ${OTHER_GROUP}%eth0`, "1 close"],
  ]);
});

test("leave() of an interface that has gone closes its socket all the same", () => {
  const { sockets, groups } = recorded();
  groups.join("eth0", VIP);
  sockets.gone.add("eth0");
  groups.leave("eth0", VIP);
  assert.deepEqual(sockets.take(), [`1 add ${GROUP}%eth0`, "1 close"]);
});

test("problem says what is not joined, until retry() has joined all of it", () => {
  const { sockets, groups } = recorded();
  sockets.refusal = "ENOBUFS";
  groups.join("eth0", VIP);
  groups.join("eth0", OTHER);
  const problem = `Cannot join ${GROUP} on eth0: ENOBUFS`;
  assert.equal(groups.problem, problem);
  sockets.refusal = null;
  groups.join("eth1", VIP);
  assert.equal(groups.problem, problem, "another that is joined does not hide it");
  groups.retry();
  assert.equal(groups.problem, null);
  sockets.take();
  groups.retry();
  assert.deepEqual(sockets.take(), [], "what is joined stays as it is");
});

test("problem is gone with the address that could not be asked for", () => {
  const { sockets, groups } = recorded();
  sockets.refusal = "ENOBUFS";
  groups.join("eth0", VIP);
  groups.leave("eth0", VIP);
  assert.equal(groups.problem, null);
});

test("close() closes every socket", () => {
  const { sockets, groups } = recorded();
  groups.join("eth0", VIP);
  groups.join("eth1", VIP);
  sockets.take();
  groups.close();
  assert.deepEqual(sockets.take(), ["1 close", "2 close"]);
});

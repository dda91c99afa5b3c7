// `node test/lab/sweep.ts`: removes labs whose owner is dead. With ids (see /run/lbd-lab) it
// removes those, with --kept all labs that were made to outlive their maker.

import { removeRecorded, sweepDeadLabs } from "./cleanup.ts";
import { readRecords } from "./ledger.ts";

const wanted = process.argv.slice(2);
for (const id of sweepDeadLabs()) console.log(`removed ${id}: its owner is dead`);
for (const record of readRecords()) {
  const kept = wanted.includes("--kept") && record.owner === null;
  if (!kept && !wanted.includes(record.id)) continue;
  removeRecorded(record);
  console.log(`removed ${record.id}`);
}

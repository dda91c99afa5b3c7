// Labs for node:test: removed when the test ends, and kept in part when it failed.

import { after, afterEach, before } from "node:test";
import { Lab, type LabOptions } from "./lab.ts";

/** The parts of a node:test context that are used here. */
export interface TestContextLike {
  readonly name: string;
  readonly passed: boolean;
  after(hook: () => void): void;
}

/** A lab that lasts as long as the test. */
export async function labForTest(test: TestContextLike, options: LabOptions = {}): Promise<Lab> {
  const lab = await Lab.create(options);
  test.after(() => {
    if (!test.passed) lab.markFailed(test.name);
    lab.dispose();
  });
  return lab;
}

/**
 * To be called in a `describe`: a lab that its tests share, prepared once before them. It is kept
 * in part when the preparation or any of the tests failed.
 */
export function labForSuite(options: LabOptions, prepare: (lab: Lab) => Promise<void>): void {
  let lab: Lab | null = null;
  before(async () => {
    lab = await Lab.create(options);
    try {
      await prepare(lab);
    } catch (error) {
      lab.markFailed("preparation");
      throw error;
    }
  });
  afterEach((test) => {
    if (!test.passed) lab?.markFailed(test.name);
  });
  after(() => lab?.dispose());
}

/** Runs `use` with a lab that is removed afterwards, and kept in part when `use` throws. */
export async function withLab<T>(options: LabOptions, use: (lab: Lab) => Promise<T>): Promise<T> {
  await using lab = await Lab.create(options);
  try {
    return await use(lab);
  } catch (error) {
    lab.markFailed(error instanceof Error ? error.message : String(error));
    throw error;
  }
}

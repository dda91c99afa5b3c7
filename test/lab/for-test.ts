// Labs and containers for node:test: removed when the test ends, and kept in part when it failed.

import { after, afterEach, before } from "node:test";
import { Container, type ContainerOptions } from "./container.ts";
import { Lab, type LabOptions } from "./lab.ts";

/** The parts of a node:test context that are used here. */
export interface TestContextLike {
  readonly name: string;
  readonly passed: boolean;
  after(hook: () => void): void;
}

/** The parts of a lab or a container that are used here. */
interface Removable {
  markFailed(why: string): void;
  dispose(): void;
}

/** A lab that lasts as long as the test. */
export async function labForTest(test: TestContextLike, options: LabOptions = {}): Promise<Lab> {
  return forTest(test, await Lab.create(options));
}

/** A container that lasts as long as the test. */
export async function containerForTest(
  test: TestContextLike,
  options: ContainerOptions = {},
): Promise<Container> {
  return forTest(test, await Container.boot(options));
}

function forTest<T extends Removable>(test: TestContextLike, made: T): T {
  test.after(() => {
    if (!test.passed) made.markFailed(test.name);
    made.dispose();
  });
  return made;
}

/**
 * To be called in a `describe`: a lab that its tests share, prepared once before them. It is kept
 * in part when the preparation or any of the tests failed.
 */
export function labForSuite(options: LabOptions, prepare: (lab: Lab) => Promise<void>): void {
  forSuite(() => Lab.create(options), prepare);
}

/** The same for a container. */
export function containerForSuite(
  options: ContainerOptions,
  prepare: (container: Container) => Promise<void>,
): void {
  forSuite(() => Container.boot(options), prepare);
}

function forSuite<T extends Removable>(
  make: () => Promise<T>,
  prepare: (made: T) => Promise<void>,
): void {
  let made: T | null = null;
  before(async () => {
    made = await make();
    try {
      await prepare(made);
    } catch (error) {
      made.markFailed("preparation");
      throw error;
    }
  });
  afterEach((test) => {
    if (!test.passed) made?.markFailed(test.name);
  });
  after(() => made?.dispose());
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

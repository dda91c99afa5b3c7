// What whoever starts a bench sets in the environment: read and checked before anything is started.

/** A mistake in the settings, told in words. */
export class SettingError extends Error {}

const EXIT_USAGE = 2;

export interface CountOptions {
  /** What an empty or absent setting means. */
  readonly unset: number;
  readonly min: number;
}

/** A whole number that a setting holds, in decimal digits. Throws a SettingError for all else. */
export function readCount(
  environment: NodeJS.ProcessEnv,
  name: string,
  { unset, min }: CountOptions,
): number {
  const text = environment[name] ?? "";
  if (text === "") return unset;
  const count = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(count) && count >= min) return count;
  throw new SettingError(`${name} must be a whole number from ${min}, found "${text}"`);
}

/** One of some words; an empty or absent setting means the first. */
export function readChoice<T extends string>(
  environment: NodeJS.ProcessEnv,
  name: string,
  choices: readonly [T, ...T[]],
): T {
  const text = environment[name] ?? "";
  const chosen = text === "" ? choices[0] : choices.find((choice) => choice === text);
  if (chosen !== undefined) return chosen;
  throw new SettingError(`${name} must be one of ${choices.join(", ")}, found "${text}"`);
}

/** Ends the process with 2, and says why, when a setting is wrong. */
export function orEndWithUsage<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof SettingError)) throw error;
    console.error(`Cannot start: ${error.message}`);
    process.exit(EXIT_USAGE);
  }
}

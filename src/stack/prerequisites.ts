import { IngotError } from '../errors.ts';

/** Something that has to be on the machine before a part can be installed or run. */
export type Prerequisite = {
  /** As a person would look for it, with its version: `Java 17 or newer`. */
  readonly name: string;
  /** Ends the sentence "… is needed to". */
  readonly neededTo: string;
  /** What was found instead, when that helps: `found 11.0.2`. */
  readonly found?: string;
  readonly present: boolean;
};

/** Throws `PREREQUISITE_MISSING` naming every missing one and what needs it. */
export function requirePrerequisites(prerequisites: readonly Prerequisite[]): void {
  const missing = prerequisites.filter((prerequisite) => !prerequisite.present);
  if (missing.length === 0) {
    return;
  }
  const lines = missing.map((each) => {
    const found = each.found === undefined ? '' : ` (found ${each.found})`;
    return `  ${each.name}${found}: needed to ${each.neededTo}`;
  });
  throw new IngotError(
    'PREREQUISITE_MISSING',
    `these are missing on this machine:\n${lines.join('\n')}\n` +
      'Install them, or start a Docker engine (then nothing else is needed), ' +
      'or point the part somewhere else with TEMPORAL_ADDRESS, KAFKA_BROKERS or AWS_ENDPOINT_URL.',
    { retryable: false },
  );
}

/** Whether `version` (`1.26.8`, `17`, `3.11.7`) is at least `[major, minor]`. */
export function isAtLeast(version: string, minimum: readonly [number, number]): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major > minimum[0] || (major === minimum[0] && minor >= minimum[1]);
}

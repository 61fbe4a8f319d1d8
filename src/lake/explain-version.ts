import { causeInWords, counted, modeInWords, rangesInWords } from './explain-words.ts';
import type { Pointer } from './pointer.ts';
import type { WindowId } from './window.ts';

/* What the pointer of a window says of the version that readers see. */

export function versionExplained(pointer: Pointer | null): readonly string[] {
  if (pointer === null) return ['It has no version: readers see no row of it.'];
  const { accounting, waived, score } = pointer;
  const size = `${counted(pointer.rows, 'row')} in ${counted(pointer.files.length, 'file')}`;
  const mode = pointer.layer === 'silver' ? `, by ${modeInWords(pointer.mode)}` : '';
  return [
    `Readers see version ${pointer.version}: ${size}, built at ${pointer.builtAt}${mode}.`,
    ...(pointer.cause === undefined
      ? []
      : [`It was built because ${causeInWords(pointer.cause)}.`]),
    pointer.previous === null
      ? 'It is the first version.'
      : `It is number ${pointer.sequence}; the version before was ${pointer.previous}.`,
    ...(waived === undefined
      ? []
      : [
          `${waived.author} let it be published at ${waived.at} although checks had failed ` +
            `(${waived.checks.join(', ')}): "${waived.reason}"`,
        ]),
    ...(pointer.complete
      ? []
      : ['It is not complete: waiting for one of its hours had taken too long.']),
    ...(accounting === null
      ? []
      : [
          `Of ${counted(accounting.bronze, 'row')} of bronze, ${accounting.silver} are in it, ` +
            `${accounting.duplicates} were duplicates and ${accounting.rejected} were rejected.`,
        ]),
    ...(pointer.betterDuplicates === 0
      ? []
      : [
          `The seal build swaps ${counted(pointer.betterDuplicates, 'duplicate')} for an earlier one.`,
        ]),
    ...(score === null ? [] : [`Its checks have scored ${Number(score.toFixed(2))} of 100.`]),
    ...pointer.warnings.map((warning) => `Warning: ${warning}.`),
  ];
}

/** Batches of each source log, or versions of silver and which of them silver has left. */
export function madeFrom(
  pointer: Pointer | null,
  silverNow: Readonly<Record<WindowId, string>>,
): readonly string[] {
  if (pointer === null) return [];
  if (pointer.layer === 'silver') {
    return Object.entries(pointer.logs).map(([log, { through, batches }]) => {
      const which = batches.length === 0 ? 'no batch' : `batches ${rangesInWords(batches)}`;
      return `${log}: ${which}; looked at up to batch ${through}`;
    });
  }
  const hours = [...new Set([...Object.keys(pointer.silver), ...Object.keys(silverNow)])].sort();
  if (hours.length === 0) return ['no silver: none of its hours had a version'];
  return hours.map((hour) => {
    const [used, now] = [pointer.silver[hour], silverNow[hour]];
    if (used === undefined) return `silver ${hour}: not in it; silver has version ${now} now`;
    const changed = now === used ? '' : `; silver has ${now ?? 'no version'} now`;
    return `silver ${hour}: version ${used}${changed}`;
  });
}

import type { StepSpec } from '../support/steps.ts';
import { firstHour } from '../support/transform-batches.ts';

/*
 * The named steps of a build, as its object store and its catalog see them. The second version of the
 * first hour is a fold, with copies of the files before; the third is the whole build that closes it.
 */

type Place = Pick<StepSpec, 'call' | 'key' | 'content'>;

const hour = `hour=${firstHour.slice(-2)}`;

/** Everything that a build does to the world, in the order in which it does. */
export const builds = {
  file: { call: 'createObject', key: `^silver/.*${hour}/.*/000002-` },
  quarantine: { call: 'createObject', key: `^quarantine/.*${hour}/.*000002-` },
  copy: { call: 'copyObject', key: `^silver/.*${hour}/.*/000002-` },
  staged: { call: 'replaceObject', key: `^_staged/silver/.*${firstHour}/000002-` },
  results: { call: 'replaceObject', key: `^dq_results/silver/.*${firstHour}/000002-` },
  pointer: { call: 'swapObject', key: `^_current/silver/.*${firstHour}`, content: '"000002-' },
  registration: { call: 'putPartitions', key: '^events_cleaned$', content: `${hour}/.*/000002-` },
  removal: { call: 'deletePartitions', key: '^events_cleaned$', content: '/search$' },
  goldFile: { call: 'createObject', key: '^gold/hourly_revenue/' },
  goldPointer: { call: 'swapObject', key: '^_current/gold/hourly_revenue/' },
  goldRegistration: { call: 'putPartitions', key: '^hourly_revenue$' },
} as const satisfies Readonly<Record<string, Place>>;

const at = (place: Place, when: StepSpec['when'], nth = 1): StepSpec => ({
  ...place,
  when,
  nth,
  act: 'wait',
});

/** Where the process that builds silver is stopped. */
export const silverStops = {
  'before-the-first-file': at(builds.file, 'before'),
  'between-files': at(builds.file, 'after'),
  'before-the-quarantine': at(builds.quarantine, 'before'),
  'before-a-copy': at(builds.copy, 'before'),
  'between-copies': at(builds.copy, 'after'),
  'before-the-staged-pointer': at(builds.staged, 'before'),
  'between-stage-and-gate': at(builds.staged, 'after'),
  'before-the-check-results': at(builds.results, 'before'),
  'between-gate-and-publish': at(builds.results, 'after'),
  'before-the-pointer': at(builds.pointer, 'before'),
  'between-publish-and-register': at(builds.pointer, 'after'),
  'before-the-registration': at(builds.registration, 'before'),
  'after-the-registration': at(builds.registration, 'after'),
  'before-the-removal': at(builds.removal, 'before'),
  'after-the-removal': at(builds.removal, 'after'),
  'before-the-report': at({ call: 'report', key: `^silver/events/${firstHour}$` }, 'before', 2),
} as const satisfies Readonly<Record<string, StepSpec>>;

/** Where the process that builds gold is stopped, with other builds of gold in flight. */
export const goldStops = {
  'before-the-file': at(builds.goldFile, 'before'),
  'before-the-pointer': at(builds.goldPointer, 'before'),
  'between-publish-and-register': at(builds.goldPointer, 'after'),
  'before-the-registration': at(builds.goldRegistration, 'before'),
  'before-the-report': at({ call: 'report', key: '^gold/hourly_revenue/' }, 'before'),
} as const satisfies Readonly<Record<string, StepSpec>>;

export type SilverStop = keyof typeof silverStops;
export type GoldStop = keyof typeof goldStops;

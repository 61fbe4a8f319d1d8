import type { ChaosCase } from '../support/run-case.ts';
import { deployCases } from './deploy.ts';
import { freezeCases } from './freeze.ts';
import { killCases } from './kill.ts';
import { lostAnswerCases } from './lost-answer.ts';
import { outageCases } from './outage.ts';
import { randomCases } from './random.ts';
import { rivalCases } from './rivals.ts';

export const cases: readonly ChaosCase[] = [
  ...killCases,
  ...freezeCases,
  ...rivalCases,
  ...deployCases,
  ...lostAnswerCases,
  ...randomCases,
  ...outageCases,
];

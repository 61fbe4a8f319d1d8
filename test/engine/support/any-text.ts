import fc from 'fast-check';
import { codePoint } from '../../support/code-points.ts';

/** Texts that files and engines are known to stumble over, any others, and null. */
export const anyText = fc.oneof(
  fc.string({ unit: codePoint, maxLength: 20 }),
  fc.constantFrom('\u0000', 'a\u0000b', '👍🏼', 'é\u0301', '\u2028', '"\\\n', '', "'; --", 'NULL'),
  fc.constant(null),
);

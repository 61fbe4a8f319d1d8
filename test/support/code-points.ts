import fc from 'fast-check';

const surrogates = 0x800;

/**
 * Any code point but halves of surrogate pairs, as a unit of `fc.string`. fast-check's own units
 * `binary` and `grapheme` look each of their characters up before the first case, which takes seconds.
 */
export const codePoint: fc.Arbitrary<string> = fc
  .integer({ min: 0, max: 0x10_ffff - surrogates })
  .map((number) => String.fromCodePoint(number < 0xd800 ? number : number + surrogates));

import assert from 'node:assert/strict';
import { listItem, paragraph, table } from '../../src/datasets/markdown.ts';

describe('table', () => {
  it('pads its columns and escapes what would end a cell', () => {
    assert.equal(
      table(['a', 'long'], [['x|y', '÷']]),
      ['| a    | long |', '| ---- | ---- |', '| x\\|y | ÷    |'].join('\n'),
    );
  });
});

describe('paragraph', () => {
  it('wraps between words and loses none', () => {
    const text = Array.from({ length: 80 }, (_, index) => `word${index}`).join(' ');
    const lines = paragraph(text).split('\n');
    assert.ok(lines.length > 1);
    assert.ok(lines.every((line) => line.length <= 100));
    assert.equal(lines.join(' '), text);
  });
});

describe('listItem', () => {
  it('indents what follows its first line', () => {
    const lines = listItem('word '.repeat(40).trim()).split('\n');
    assert.match(lines[0] ?? '', /^- word/);
    assert.ok(lines.slice(1).every((line) => line.startsWith('  word')));
  });
});

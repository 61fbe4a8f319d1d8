import type { Command } from 'commander';

/** Ends the help of a verb with lines that can be copied: `[command, what it does]`. */
export function addExamples(
  command: Command,
  examples: readonly (readonly [string, string])[],
): void {
  const width = Math.max(...examples.map(([line]) => line.length));
  const lines = examples.map(([line, meaning]) => `  $ ${line.padEnd(width)}   ${meaning}`);
  command.addHelpText('after', `\nExamples:\n${lines.join('\n')}`);
}

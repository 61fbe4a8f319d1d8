import type { StackReport } from '../stack/report.ts';
import type { CliContext } from './context.ts';

/** Shows the steps of the local stack as progress lines. */
export function stackReport({ console, env }: Pick<CliContext, 'console' | 'env'>): StackReport {
  return {
    begin: (title) => {
      const line = console.progress(title);
      return { note: line.note, succeed: line.succeed, fail: line.fail };
    },
    debug: (text) => {
      if (env['LOG_LEVEL'] === 'debug' || env['LOG_LEVEL'] === 'trace') {
        console.say(text);
      }
    },
  };
}

import { loadConfig, type Config, type Environment } from '../config.ts';
import type { CliConsole } from './console.ts';

/** What every verb is given. Verbs read no environment and write to no stream of their own. */
export type CliContext = {
  readonly env: Environment;
  /** Throws `CONFIG_INVALID`; called inside an action, so that `--help` works with wrong settings. */
  readonly loadConfig: () => Config;
  readonly console: CliConsole;
  /**
   * Asks for Ctrl-C and SIGTERM to abort this signal instead of ending the process at once. A verb
   * that never asks is ended as usual.
   */
  readonly interruption: () => AbortSignal;
};

export type ContextOptions = {
  readonly env: Environment;
  readonly console: CliConsole;
  readonly onSignal: (name: 'SIGINT' | 'SIGTERM', listener: () => void) => void;
};

/** The reason of the abort when a person or a supervisor has asked the command to end. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';
  readonly exitCode: number;

  constructor(signal: 'SIGINT' | 'SIGTERM') {
    super(`interrupted by ${signal}`);
    this.exitCode = signal === 'SIGINT' ? 130 : 143;
  }
}

export function createContext(options: ContextOptions): CliContext {
  let controller: AbortController | undefined;
  const interruption = (): AbortSignal => {
    if (controller === undefined) {
      const created = new AbortController();
      controller = created;
      for (const name of ['SIGINT', 'SIGTERM'] as const) {
        options.onSignal(name, () => created.abort(new Interrupted(name)));
      }
    }
    return controller.signal;
  };
  return {
    env: options.env,
    loadConfig: () => loadConfig(options.env),
    console: options.console,
    interruption,
  };
}

import pino from 'pino';
import type { Config } from '../config.ts';
import type { Logger } from '../ports.ts';

/** Structured lines on stderr: JSON in production, readable on a terminal. */
export function createLogger(
  config: Pick<Config, 'LOG_LEVEL' | 'LOG_FORMAT'>,
  name: string,
): Logger {
  const isPretty =
    config.LOG_FORMAT === 'pretty' ||
    (config.LOG_FORMAT === 'auto' && process.stderr.isTTY === true);
  const options = { name, level: config.LOG_LEVEL, base: { name } };
  if (!isPretty) return pino(options, pino.destination(2));
  const target = { target: 'pino-pretty', options: { destination: 2, ignore: 'pid,hostname' } };
  return pino({ ...options, transport: target });
}

/** For callers that have nobody to talk to. */
export const silentLogger: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

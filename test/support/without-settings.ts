import { configSchema, type Environment } from '../../src/config.ts';

/** Nothing of a person's settings reaches the tests, so that none of them can touch real data. */
export function withoutSettings(env: Environment): Environment {
  const isSetting = (name: string): boolean =>
    name in configSchema.shape || (name.startsWith('AWS_') && !name.startsWith('AWS_SDK_JS_'));
  return Object.fromEntries(Object.entries(env).filter(([name]) => !isSetting(name)));
}

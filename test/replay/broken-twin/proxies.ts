import { metadata as intact } from '../../../src/workflows/proxies.ts';

/*
 * The twin of every workflow that registers nothing: the call is gone, and nothing else. It stands in
 * for the proxies of the workflows when they are bundled.
 */

// The request is another one than that which this file stands in for, so it finds the file itself.
export * from '../../../src/workflows/proxies.ts';

export const metadata = new Proxy(intact, {
  get: (target, name, receiver) =>
    name === 'registerWindow'
      ? async () => undefined
      : (Reflect.get(target, name, receiver) as unknown),
});

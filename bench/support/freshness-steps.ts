import type { SqlEngine, SqlSession } from '../../src/ports.ts';

/* Where the time of a question goes: the steps of its session. What is left went to objects. */

export type Steps = {
  readonly engine: SqlEngine;
  /** Milliseconds of each step since the last time it was asked. */
  readonly take: () => Readonly<Record<string, number>>;
};

/** Opening files, cleaning them, holding their rows against others, and what was asked. */
export const stepNames = ['files', 'clean', 'hide', 'query'] as const;
type Step = (typeof stepNames)[number];

export function timedEngine(engine: SqlEngine): Steps {
  let spent: Record<string, number> = {};
  const timed = async <T>(step: Step, work: Promise<T>): Promise<T> => {
    const startedMs = performance.now();
    try {
      return await work;
    } finally {
      spent[step] = (spent[step] ?? 0) + performance.now() - startedMs;
    }
  };
  const around = (session: SqlSession): SqlSession => ({
    ...session,
    declare: (tables) => timed('files', session.declare(tables)),
    forget: (names) => timed('files', session.forget(names)),
    define: (name, sql) => timed('query', session.define(name, sql)),
    query: (...given) => timed('query', session.query(...given)),
    materialize: (name, ...given) => {
      const step = name.startsWith('tail_hidden') ? 'hide' : 'clean';
      return timed(step, session.materialize(name, ...given));
    },
  });
  return {
    engine: {
      ...engine,
      open: async (tables) => around(await timed('files', engine.open(tables))),
    },
    take: () => {
      const taken = spent;
      spent = {};
      return taken;
    },
  };
}

import type { SqlEngine, SqlSession, TableInput } from '../../src/ports.ts';

/* Where the time of a question goes: the steps of its sessions, one for the live tail of each window. */

export type Steps = {
  readonly engine: SqlEngine;
  /** Milliseconds of each step since the last time it was asked. */
  readonly take: () => Readonly<Record<string, number>>;
};

export const stepNames = ['tail open', 'tail clean', 'open', 'join', 'query'] as const;
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
  const open = async (tables: readonly TableInput[]): Promise<SqlSession> => {
    // Only the sessions that clean a tail read the version that it is compared with.
    const isTail = tables.some(({ name }) => name === 'silver_version');
    const session = await timed(isTail ? 'tail open' : 'open', engine.open(tables));
    return {
      ...session,
      query: (...given) => timed(isTail ? 'tail clean' : 'query', session.query(...given)),
      materialize: (...given) =>
        timed(isTail ? 'tail clean' : 'join', session.materialize(...given)),
    };
  };
  return {
    engine: { ...engine, open },
    take: () => {
      const taken = spent;
      spent = {};
      return taken;
    },
  };
}

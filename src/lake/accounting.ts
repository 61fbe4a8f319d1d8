/*
 * Every row is accounted for. Two identities, each term from a source of its own: offsets and seals,
 * footers of the written files, counts by SQL.
 */

/** `bronze = silver + duplicates + rejected`, of one window. */
export type Accounting = {
  /** From the seals of the batches. */
  readonly bronze: number;
  /** From the footers of the written files. */
  readonly silver: number;
  /** Counted by SQL. */
  readonly duplicates: number;
  readonly rejected: number;
};

export const noRows: Accounting = { bronze: 0, silver: 0, duplicates: 0, rejected: 0 };

/** `consumed = bronze + dead letters`, of source logs. */
export type Consumption = {
  readonly consumed: number;
  readonly bronze: number;
  readonly deadLetters: number;
};

export function addAccounting(a: Accounting, b: Accounting): Accounting {
  return {
    bronze: a.bronze + b.bronze,
    silver: a.silver + b.silver,
    duplicates: a.duplicates + b.duplicates,
    rejected: a.rejected + b.rejected,
  };
}

/** Rows that the identity leaves unexplained; 0 when it holds. */
export function unexplainedRows(figures: Accounting): number {
  return figures.bronze - figures.silver - figures.duplicates - figures.rejected;
}

export function unexplainedRecords(figures: Consumption): number {
  return figures.consumed - figures.bronze - figures.deadLetters;
}

/** What a long piece of work tells the person who waits for it. The CLI shows it; tests are silent. */
export type StackReport = {
  /** A step that may take more than a second has begun. */
  readonly begin: (title: string) => StepReport;
  /** A detail that only someone who looks into a problem wants to see. */
  readonly debug: (text: string) => void;
};

export type StepReport = {
  readonly note: (text: string) => void;
  readonly succeed: (text: string) => void;
  readonly fail: (text: string) => void;
};

const nothing = (): void => undefined;

export const silentReport: StackReport = {
  begin: () => ({ note: nothing, succeed: nothing, fail: nothing }),
  debug: nothing,
};

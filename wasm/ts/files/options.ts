// The options of `fileJournal`.

/** Options of a journal in files. */
export interface FileJournalOptions {
  /** The path of the file of errors. Default: the output's name with `.errors` before its extension: `out.errors.jsonl`. */
  errors?: string;
  /** Resumes even if the settings of the run differ, and accepts existing results whose settings are unknown. Default false. */
  force?: boolean;
  /** Runs the items that have an error again. The old file of errors is kept, with a number appended. Default false. */
  retryErrors?: boolean;
  /**
   * When results are synced to disk, so that they survive a power loss: after `lines` results, default 1,000, or when the
   * first of them has waited for `intervalMs`, default 100. A recorded result survives a `kill -9` in any case. With an
   * `intervalMs` of 0, a result counts as recorded only when it is synced.
   */
  sync?: { lines?: number; intervalMs?: number };
}

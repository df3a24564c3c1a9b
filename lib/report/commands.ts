/**
 * The commands a mail offers, ready to be copied into a shell. Every word passes shellWord, so that
 * no name, however odd, becomes more than one argument.
 */
import type { RunKey } from '../model/run.ts'
import type { Command, Status } from './night-report.ts'

/** How Tallyman is called in a checkout (README). */
export const COMMAND_PREFIX = 'npm run -s tallyman --'

/** One argument for a POSIX shell: as it is when harmless, else in single quotes. */
export function shellWord(text: string): string {
  return /^[A-Za-z0-9_%+=:,./@-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`
}

function line(...words: readonly string[]): string {
  return `${COMMAND_PREFIX} ${words.map(shellWord).join(' ')}`
}

/** What a night has, as far as a command depends on it. */
export interface CommandFacts {
  readonly rejects: boolean
  readonly comparison: boolean
  readonly applied: boolean
  /** A file of the sender is what the failure waits for. */
  readonly waitsForFile: boolean
  /** The failure lies in what is said of the file, not outside. */
  readonly aboutTheFile: boolean
  /** Whether the same files may be loaded a second time; `--force` on a plain append is refused. */
  readonly reloadable: boolean
  /** Identity of the first difference that calls for somebody; null when there is none. */
  readonly firstBreak: string | null
  /** Plans may be made for differences of this job. */
  readonly resolvable: boolean
  /** Archived content of the first file, null when it is not known. */
  readonly archived: string | null
}

/** What may be done after a night of this status; the texts at the top of a mail refer to the first ones. */
export function commandsFor(status: Status, run: RunKey, has: CommandFacts): readonly Command[] {
  const date = ['--date', run.businessDate] as const
  const job = ['--job', run.job] as const
  const says = (purpose: string, ...words: readonly string[]): Command => ({ purpose, line: line(...words) })
  const take = (purpose: string): Command => says(purpose, 'run', run.job, ...date)
  const rerun = (purpose: string, ...options: readonly string[]): Command =>
    says(purpose, 'rerun', run.job, ...date, ...options)
  const reload = (purpose: string): Command[] =>
    has.reloadable && has.applied ? [rerun(purpose, '--from-archive', '--force')] : []
  return [
    ...(status === 'FAILED' && has.waitsForFile ? [take('Take the file now, once it has come')] : []),
    ...(status === 'FAILED' && !has.waitsForFile ? [rerun('Run this date again')] : []),
    ...(status === 'INCONCLUSIVE' ? [rerun('Compare again, with both sides as they are now')] : []),
    ...(status === 'BREAKS'
      ? [
          rerun('Take both sides as they are now and compare again'),
          ...reload('Load the file again where the file is right'),
        ]
      : []),
    ...(status === 'REJECTS'
      ? [
          take('Take a corrected file now'),
          ...reload('Load the same file again, after the mapping was corrected'),
        ]
      : []),
    ...(has.firstBreak === null
      ? []
      : [
          says('List all open differences with their ages', 'breaks', 'list', ...job),
          says(
            'Acknowledge the first difference, with your own reason and date',
            ...[
              'breaks',
              'ack',
              has.firstBreak.slice(0, 12),
              '--until',
              '+5bd',
              '--reason',
              'why it may stay',
            ],
          ),
        ]),
    ...(has.firstBreak !== null && has.resolvable
      ? [
          says(
            'Propose what would put the target right, to be read and applied',
            ...['breaks', 'resolve', ...job, ...date, '--plan', `plan-${run.job}-${run.businessDate}`],
          ),
        ]
      : []),
    ...(status === 'FAILED' && has.aboutTheFile && has.archived !== null
      ? [says('See the file as the job reads it', 'preview', has.archived, ...job)]
      : []),
    ...(has.rejects ? [says('List all refused records', 'rejects', 'list', ...job, ...date)] : []),
    ...(status === 'BREAKS' && has.comparison
      ? [says('Compare the stored pictures again, after a rule was changed', 'reconcile', run.job, ...date)]
      : []),
    ...(status === 'FAILED' && !has.aboutTheFile ? [says('Check connections and database', 'doctor')] : []),
    says('See this date of every job', 'status', ...date),
  ]
}

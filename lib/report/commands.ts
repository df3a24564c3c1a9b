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

/** What may be done after a night of this status, most useful first. */
export function commandsFor(
  status: Status,
  run: RunKey,
  has: { readonly rejects: boolean; readonly comparison: boolean; readonly applied: boolean },
): readonly Command[] {
  const date = ['--date', run.businessDate] as const
  const commands: Command[] = []
  if (status === 'FAILED' || status === 'INCONCLUSIVE' || status === 'BREAKS' || has.rejects) {
    commands.push({ purpose: 'Run this date again', line: line('rerun', run.job, ...date) })
  }
  if (has.comparison && has.applied) {
    commands.push({
      purpose: 'Compare again what is stored',
      line: line('reconcile', run.job, ...date),
    })
  }
  if (has.rejects) {
    commands.push({
      purpose: 'List all refused records',
      line: line('rejects', 'list', '--job', run.job, ...date),
    })
  }
  if (status === 'FAILED') commands.push({ purpose: 'Check connections and database', line: line('doctor') })
  commands.push({ purpose: 'See this date of every job', line: line('status', ...date) })
  return commands
}

/**
 * A run's summary for a terminal: outcome first, then files, laws, comparison, mail. Pure.
 */
import type { RunSummary } from '../../lib/run/summary.ts'
import { quantity } from '../progress.ts'
import type { Terminal } from '../terminal.ts'

type Paint = Pick<Terminal, 'paint'>

function headline(summary: RunSummary, { paint }: Paint): string {
  const outcome = summary.reconcile?.outcome
  const subject = paint('strong', `${summary.job} ${summary.businessDate}`)
  if (summary.state === 'waiting')
    return `${paint('warn', 'waiting')} ${subject}: its file has not come, and its window is open`
  if (summary.state === 'nothing-to-do')
    return `${paint('good', 'nothing to do')} ${subject}: the same files are applied already`
  const rejected =
    summary.counts.rejected > 0 ? `, ${summary.counts.rejected.toLocaleString('en-US')} rejected` : ''
  if (summary.state === 'dry-run')
    return `${paint('good', 'dry run')} ${subject}: nothing was written${rejected}`
  if (outcome === 'BREAKS') return `${paint('warn', 'BREAKS')} ${subject}: ${changes(summary)}${rejected}`
  if (outcome === 'INCONCLUSIVE')
    return `${paint('bad', 'INCONCLUSIVE')} ${subject}: nothing is proved${rejected}`
  if (summary.counts.rejected > 0) return `${paint('warn', 'REJECTS')} ${subject}${rejected}`
  return `${paint('good', outcome ?? 'done')} ${subject}`
}

function changes(summary: RunSummary): string {
  const { breaks } = summary.reconcile!
  const said = Object.entries(breaks).filter(([, count]) => count > 0)
  return said.map(([kind, count]) => `${count.toLocaleString('en-US')} ${kind}`).join(', ')
}

/** The summary's lines. */
export function summaryText(summary: RunSummary, terminal: Paint): string {
  const dim = (text: string): string => terminal.paint('dim', text)
  const lines = [headline(summary, terminal)]
  for (const file of summary.files) {
    const note = file.note === '' ? '' : `; ${file.note}`
    lines.push(`  ${dim('file')}    ${file.name}  ${quantity(file.bytes, 'bytes')}  ${file.verdict}${note}`)
  }
  for (const warning of summary.warnings) lines.push(`  ${terminal.paint('warn', 'warning')} ${warning}`)
  for (const law of summary.laws) lines.push(`  ${dim('law')}     ${law}`)
  if (summary.reconcile !== null)
    lines.push(`  ${dim('proof')}   unexplained ${summary.reconcile.unexplained}`)
  const ms = summary.steps.reduce((sum, step) => sum + step.ms, 0)
  const steps = summary.steps.filter(step => step.state !== 'skipped').map(step => `${step.step} ${step.ms}`)
  lines.push(`  ${dim('time')}    ${ms} ms (${steps.join(', ')})`)
  if (summary.report !== null)
    lines.push(`  ${dim('mail')}    ${summary.report.state}  ${summary.report.messageId}`)
  return `${lines.join('\n')}\n`
}

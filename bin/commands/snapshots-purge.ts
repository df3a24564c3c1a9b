/**
 * `tallyman snapshots purge`: removes what nothing needs any more, as every run does at its end; with --dry-run says
 * what it would remove, and of everything else why it stays.
 */
import type { Purge } from '../../lib/run/purge.ts'
import { EXIT } from '../exit-codes.ts'
import { quantity } from '../progress.ts'
import type { Session } from '../session.ts'
import { jsonDocument, table } from '../terminal.ts'

/** Purges, or only looks. Exit 0; 75 when a run is at work, then nothing was removed. */
export async function purgeCommand(session: Session, dryRun: boolean): Promise<number> {
  const engine = await session.engine()
  const { previewPurge, purge } = await import('../../lib/run/purge.ts')
  const { terminal } = session
  const outcome = dryRun ? { done: await previewPurge(engine) } : await purge(engine, null)
  if ('busy' in outcome) {
    if (terminal.json) terminal.out(jsonDocument({ busy: outcome.busy }))
    terminal.note(`${outcome.busy}: nothing was removed. It is done after the next run, or try again.`)
    return EXIT.tryLater
  }
  const { done } = outcome
  terminal.out(terminal.json ? jsonDocument({ dryRun, ...done }) : purgeText(done, dryRun, terminal.columns))
  return EXIT.done
}

function purgeText(
  { kept, letGo, files, strangers }: Purge,
  dryRun: boolean,
  columns: number | null,
): string {
  const stays = kept.map(one => [
    one.businessDate,
    one.reconciliation,
    String(one.ids.length),
    one.why.join('; '),
  ])
  const goes = letGo.map(one => [one.businessDate, one.reconciliation, String(one.ids.length)])
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0)
  const orphans = files.filter(({ orphan }) => orphan).length
  const nobodys = orphans === 0 ? '' : `, ${orphans} of them named by nothing`
  return [
    ...(dryRun && kept.length > 0
      ? [`${table(['date', 'reconciliation', 'snapshots', 'stays because'], stays, columns)}\n`]
      : []),
    ...(letGo.length > 0
      ? [`${table(['date', 'reconciliation', dryRun ? 'would go' : 'gone'], goes, columns)}\n`]
      : []),
    `${dryRun ? 'would remove' : 'removed'} ${files.length} files (${quantity(bytes, 'bytes')})${nobodys}; ${kept.length} dates stay\n`,
    ...strangers.map(name => `not ours, left: ${JSON.stringify(name)}\n`),
  ].join('')
}

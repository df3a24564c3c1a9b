/**
 * `tallyman snapshots verify`: with --date proves that night again from what is stored; without it, checks every
 * stored snapshot. One line per reconciliation, and what to do about each that is not as it was.
 */
import type { ListedSnapshot } from '../../lib/ledger/snapshot.ts'
import { silentLog } from '../../lib/model/progress.ts'
import type { CheckedSnapshot } from '../../lib/run/check-snapshots.ts'
import type { ProvedComparison } from '../../lib/run/prove-night.ts'
import { EXIT } from '../exit-codes.ts'
import { PROGRAM } from '../next-command.ts'
import type { Session } from '../session.ts'
import { jsonDocument } from '../terminal.ts'

/** Which job and date are meant; null where all are. */
export interface Asked {
  readonly job: string | null
  readonly date: string | null
}

/** Verifies. Exit 0 when all is as it was; 1 when something is damaged, missing or comes out otherwise; 5 when nothing is proved. */
export async function verify(session: Session, asked: Asked): Promise<number> {
  return asked.date === null ? verifyFiles(session, asked.job) : verifyNight(session, asked.job, asked.date)
}

async function verifyNight(session: Session, job: string | null, date: string): Promise<number> {
  const engine = await session.engine()
  const { proveNight } = await import('../../lib/run/prove-night.ts')
  const { clock, signal, progress } = engine
  const proved = await proveNight(engine, date, job, { clock, log: silentLog, signal, progress })
  session.progress.clear()
  const { terminal } = session
  terminal.out(terminal.json ? jsonDocument({ proved }) : proved.map(nightLine).join(''))
  for (const one of proved.filter(({ verdict }) => verdict === 'damaged'))
    terminal.note(`  next: ${again(one.job, one.businessDate)}`)
  if (proved.some(({ verdict }) => verdict === 'damaged' || verdict === 'different')) return EXIT.failed
  const nothing = proved.some(
    ({ verdict, outcome }) => verdict === 'unprovable' || outcome === 'INCONCLUSIVE',
  )
  return nothing ? EXIT.inconclusive : EXIT.done
}

function nightLine(one: ProvedComparison): string {
  const { reconciliation, businessDate, number, verdict, what, outcome, rows, breaks } = one
  const told = `${outcome}, ${rows.left} against ${rows.right} rows, ${breaks} break${breaks === 1 ? '' : 's'}`
  const words = {
    proved: `proved again: ${told}; everything as it was mailed`,
    different: `DIFFERENT: mailed as ${told}; made again it has ${what}`,
    damaged: `DAMAGED: ${what}`,
    unprovable: `not to be proved: ${what}`,
  }[verdict]
  return `${reconciliation} ${businessDate} (comparison ${number})  ${words}\n`
}

async function verifyFiles(session: Session, job: string | null): Promise<number> {
  const engine = await session.engine()
  const { checkSnapshots } = await import('../../lib/run/check-snapshots.ts')
  const checked = await checkSnapshots(engine, job)
  const { terminal } = session
  const wrong = checked.filter(({ state }) => state !== 'whole')
  if (terminal.json) {
    const data = checked.map(({ snapshot, state, what }) => ({ ...brief(snapshot), state, what }))
    terminal.out(jsonDocument({ checked: data }))
  } else {
    terminal.out(summaryLines(checked))
    terminal.out(wrong.map(wrongLine).join(''))
  }
  for (const text of new Set(wrong.map(({ snapshot }) => again(snapshot.job, snapshot.businessDate))))
    terminal.note(`  next: ${text}`)
  return wrong.length === 0 ? EXIT.done : EXIT.failed
}

function brief({ id, job, businessDate, reconciliation, side, rows, digest, path }: ListedSnapshot): object {
  return { id, job, businessDate, reconciliation, side, rows, digest, path }
}

function summaryLines(checked: readonly CheckedSnapshot[]): string {
  const names = [...new Set(checked.map(({ snapshot }) => snapshot.reconciliation))].sort()
  return names
    .map(name => {
      const own = checked.filter(({ snapshot }) => snapshot.reconciliation === name)
      const dates = new Set(own.map(({ snapshot }) => snapshot.businessDate)).size
      const wrong = own.filter(({ state }) => state !== 'whole').length
      const verdict = wrong === 0 ? 'all whole' : `${wrong} NOT as they were`
      return `${name}  ${own.length} snapshots of ${dates} date${dates === 1 ? '' : 's'}, ${verdict}\n`
    })
    .join('')
}

function wrongLine({ snapshot, state, what }: CheckedSnapshot): string {
  const { reconciliation, businessDate, side, id } = snapshot
  return `${reconciliation} ${businessDate} ${side} (snapshot ${id})  ${state.toUpperCase()}: ${what}\n`
}

/** The source comes back from the archive as it was; the target can only be taken as it is now. */
function again(job: string, date: string): string {
  return `${PROGRAM} rerun ${job} --date ${date} --from-archive --force takes both sides afresh, the target as it is now`
}

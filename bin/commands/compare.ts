/**
 * `tallyman compare`: reconciles two files, or queries of a Postgres, with no job. Left is the source,
 * right the target. Reading the sides and comparing is reconcile/; the report is compare-report.ts.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { Comparison } from '../../lib/model/break.ts'
import { ConfigError } from '../../lib/model/errors.ts'
import { type StepContext, silentLog } from '../../lib/model/progress.ts'
import { systemClock } from '../../lib/model/time/clock.ts'
import { compareSides } from '../../reconcile/compare/compare-sides.ts'
import { keyColumns } from '../../reconcile/compare/side-rows.ts'
import { openFileSide } from '../../reconcile/sides/file-side.ts'
import { matchColumns } from '../../reconcile/sides/match-columns.ts'
import type { OpenedSide } from '../../reconcile/sides/opened-side.ts'
import { openQuerySide } from '../../reconcile/sides/query-side.ts'
import { EXIT } from '../exit-codes.ts'
import type { Session } from '../session.ts'
import { jsonDocument } from '../terminal.ts'
import { type CompareCommand, readCompareOptions, type SideOptions } from './compare-options.ts'
import { type CompareOut, openCompareOut } from './compare-out.ts'
import { compareData, compareText } from './compare-report.ts'

const QUERY = 'postgres:'

/** Compares. Exit 0 clean, 4 breaks, 5 inconclusive; errors are thrown: 2 for usage, 1 for an unreadable file. */
export async function compare(
  session: Session,
  options: Record<string, unknown>,
  left: string,
  right: string,
): Promise<number> {
  const command = readCompareOptions(options)
  const context: StepContext = {
    clock: systemClock,
    log: silentLog,
    signal: session.signal,
    progress: event => session.progress.show(event),
  }
  const workFolder = await mkdtemp(path.join(tmpdir(), 'tallyman-compare-'))
  try {
    const { comparison, warnings } = await compareGiven(
      session,
      command,
      { left, right },
      workFolder,
      context,
    )
    const { terminal } = session
    session.progress.clear()
    const cut = comparison.breaks.length < comparison.breaksTotal
    const told = cut
      ? [
          ...warnings,
          `${comparison.breaks.length} of ${comparison.breaksTotal} breaks are given here; --out DIR writes all of them`,
        ]
      : warnings
    for (const warning of told) terminal.note(warning)
    terminal.out(
      terminal.json ? jsonDocument(compareData(comparison, true), told) : compareText(comparison, terminal),
    )
    return comparison.outcome === 'CLEAN'
      ? EXIT.done
      : comparison.outcome === 'BREAKS'
        ? EXIT.breaks
        : EXIT.inconclusive
  } finally {
    await rm(workFolder, { recursive: true, force: true })
  }
}

async function compareGiven(
  session: Session,
  command: CompareCommand,
  given: { readonly left: string; readonly right: string },
  workFolder: string,
  context: StepContext,
): Promise<{ readonly comparison: Comparison; readonly warnings: readonly string[] }> {
  const opened: OpenedSide[] = []
  let out: CompareOut | null = null
  const open = async (text: string, options: SideOptions): Promise<OpenedSide> => {
    const place = { folder: workFolder, workFolder, where: options.where, signal: context.signal }
    const side = text.startsWith(QUERY)
      ? await openQuerySide(place, text.slice(QUERY.length), await connect(session))
      : await openFileSide(place, path.resolve(session.workingDirectory, text), options.reading, context)
    opened.push(side)
    return side
  }
  try {
    const left = await open(given.left, command.left)
    const right = await open(given.right, command.right)
    const match = matchColumns(left, right, command.match)
    const files =
      command.out === null ? null : await openCompareOut(path.resolve(session.workingDirectory, command.out))
    out = files
    const comparison = await compareSides(
      await left.take('source', match.left),
      await right.take('target', match.right),
      match.plan,
      {
        ...{ run: null, workFolder, breaksFile: files?.breaksFile ?? null },
        ...(files === null ? {} : { sightingsFile: files.sightingsFile }),
      },
      context,
    )
    const keys = keyColumns(match.plan).map(({ name }) => name)
    const written = (await files?.finish(comparison, keys, context.signal)) ?? null
    return {
      comparison: { ...comparison, breaksFile: comparison.breaksTotal === 0 ? null : written },
      warnings: [...left.notes, ...right.notes, ...match.warnings],
    }
  } finally {
    await out?.discard()
    for (const side of opened) await side.close()
  }
}

/** A session of the database in DATABASE_URL, which is all that a query without a job can mean. */
async function connect(session: Session): Promise<Parameters<typeof openQuerySide>[2]> {
  const url = session.variables.DATABASE_URL
  if (url === undefined || url === '') {
    throw new ConfigError(
      'CONFIG_USAGE',
      'A side is a query, but DATABASE_URL does not say of which Postgres. Nothing was compared.',
    )
  }
  const { Database } = await import('../../lib/db/database.ts')
  const database = await Database.open(url)
  const connection = await database.connect({ name: 'tallyman compare', signal: session.signal })
  return {
    query: (sql, params) => connection.query(sql, params),
    transaction: work => connection.transaction(work),
    copyOut: sql => connection.copyOut(sql),
    describe: async sql =>
      (await connection.client.query(`select * from (\n${sql}\n) as side limit 0`)).fields,
    close: async () => {
      await connection.close()
      await database.close()
    },
  }
}

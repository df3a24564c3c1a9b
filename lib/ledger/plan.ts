/**
 * From a date's file rows to the files that are loaded: which are judged, which are refused, which
 * make the set, by mode. Pure; freeze.ts reads and writes around it, verdict.ts judges.
 */

import type { LoadMode, Verdict } from '../model/run.ts'
import type { FileRow } from './file.ts'
import type { Placing } from './revision.ts'
import { type Judgement, judge } from './verdict.ts'

/** What decides which files are loaded. */
export interface FreezeRules {
  readonly feed: string
  readonly perDate: 'one' | 'many'
  readonly mode: LoadMode
  /** The target tables have a column for the business date, so that a date can be replaced as a whole. */
  readonly scoped: boolean
  readonly refuseSameContent: boolean
  /** Load again although nothing changed: `--force`, a replay, a repair. */
  readonly force: boolean
  /** Version of the fixes laid over the files; 0 when there are none. */
  readonly overlayVersion?: number
}

/** What a freeze would load. */
export interface Plan {
  /** Judged and loaded files; those with a position are loaded. */
  readonly placings: readonly Placing[]
  /** The date's whole set once this is loaded. */
  readonly set: readonly FileRow[]
  readonly wholeSet: boolean
  readonly mayDelete: boolean
  /** Whether anything pending has an effect. */
  readonly changes: boolean
  /** Files refused here, with the reason as note. */
  readonly quarantined: readonly Placing[]
  /** Files of the date that are known of but can't be loaded. */
  readonly blocking: readonly FileRow[]
}

/** What earlier loads say about a date's files. */
export interface Known {
  /** For each content, where else it is applied: `SHIP_20261119.csv of 2026-11-19`. */
  readonly elsewhere: ReadonlyMap<string, string>
  /** For each applied file, by id, what it was when it was loaded. */
  readonly verdicts: ReadonlyMap<string, Verdict>
}

type Received = FileRow & { readonly contentSha256: string }

/** Makes the plan for a date's rows. */
export function planned(rows: readonly FileRow[], rules: FreezeRules, known: Known): Plan {
  const { elsewhere } = known
  const applied = rows.filter(row => row.state === 'applied') as Received[]
  let pending = rows.filter(row => row.state === 'received') as Received[]
  const quarantined: Placing[] = []
  if (rules.refuseSameContent) {
    for (const file of pending.filter(row => elsewhere.has(row.contentSha256))) {
      quarantined.push(
        refused(file, 'new', `same content as ${elsewhere.get(file.contentSha256)}; the feed refuses it`),
      )
    }
    pending = pending.filter(file => !elsewhere.has(file.contentSha256))
  }
  let judgements = judge(rules.perDate, applied, pending)
  if (rules.mode === 'append' && !rules.scoped) {
    // Each refusal changes what the files after it are, so they are judged again.
    for (let found = correctionOf(judgements.judged, applied); found !== undefined; ) {
      const { file, supersedes } = found
      const why = `a correction of ${supersedes!.remoteName}, whose rows can't be told from others in an append without a scope column`
      quarantined.push(refused(file, 'correction', why))
      pending = pending.filter(other => other !== file)
      judgements = judge(rules.perDate, applied, pending)
      found = correctionOf(judgements.judged, applied)
    }
  }
  const { judged, set } = judgements
  const effective = judged.filter(j => j.verdict !== 'duplicate' && j.supersededBy === null)
  const replaces = rules.mode === 'replace' || rules.mode === 'mirror'
  const corrects = effective.some(j => j.verdict === 'correction')
  const wholeSet =
    replaces ||
    (rules.mode === 'append' && rules.scoped && (rules.force || corrects)) ||
    (rules.mode === 'upsert' && rules.force)
  const loaded = wholeSet ? set : effective.map(j => j.file)
  const refusedIds = new Set(quarantined.map(placing => placing.file.id))
  return {
    placings: placingsOf(judged, loaded, known),
    set,
    wholeSet,
    mayDelete: !rows.some(row => row.state === 'waived'),
    changes: effective.length > 0,
    quarantined,
    blocking: rows.filter(row => isBlocking(row, set, rules.perDate) || refusedIds.has(row.id)),
  }
}

/** What is listed when there is nothing to do: the applied files, each a duplicate of itself, and the repeated deliveries. */
export function alreadyApplied(plan: Plan): Placing[] {
  const own = plan.set.map(file => placing(file, null, 'duplicate', 'already applied'))
  return [...own, ...plan.placings.filter(p => p.verdict === 'duplicate' && !plan.set.includes(p.file))]
}

function correctionOf(
  judged: readonly Judgement<Received>[],
  applied: readonly Received[],
): Judgement<Received> | undefined {
  return judged.find(j => j.verdict === 'correction' && applied.includes(j.supersedes!))
}

function placingsOf(
  judged: readonly Judgement<Received>[],
  loaded: readonly FileRow[],
  known: Known,
): Placing[] {
  const positions = new Map(loaded.map((file, position) => [file.id, position]))
  const placings = judged.map(j => ({
    ...placing(j.file, positions.get(j.file.id) ?? null, j.verdict, noteOf(j, known.elsewhere)),
    supersedes: j.supersedes?.id ?? null,
    supersededBy: j.supersededBy?.id ?? null,
  }))
  const fresh = new Set(judged.map(j => j.file.id))
  for (const file of loaded) {
    if (!fresh.has(file.id)) {
      const verdict = known.verdicts.get(file.id) ?? 'new'
      placings.push(placing(file, positions.get(file.id)!, verdict, 'loaded before, and again with its set'))
    }
  }
  return placings
}

function noteOf(judgement: Judgement<Received>, elsewhere: Known['elsewhere']): string {
  const notes: string[] = []
  if (judgement.verdict === 'duplicate') notes.push(`same content as ${judgement.supersedes!.remoteName}`)
  if (judgement.verdict === 'correction') notes.push(`replaces ${judgement.supersedes!.remoteName}`)
  if (judgement.supersededBy !== null) notes.push(`replaced by ${judgement.supersededBy.remoteName}`)
  const other = elsewhere.get(judgement.file.contentSha256)
  if (judgement.verdict !== 'duplicate' && other !== undefined) notes.push(`same content as ${other}`)
  return notes.join('; ')
}

function isBlocking(row: FileRow, set: readonly FileRow[], perDate: 'one' | 'many'): boolean {
  if (row.state === 'quarantined') {
    const later = set.some(
      file => BigInt(file.id) > BigInt(row.id) && (perDate === 'one' || file.remoteName === row.remoteName),
    )
    return !later
  }
  return row.state === 'expected' || row.state === 'held' || row.state === 'missing' || row.state === 'late'
}

function refused(file: FileRow, verdict: Placing['verdict'], note: string): Placing {
  return placing(file, null, verdict, note)
}

function placing(file: FileRow, position: number | null, verdict: Placing['verdict'], note: string): Placing {
  return { file, position, verdict, note, supersedes: null, supersededBy: null }
}

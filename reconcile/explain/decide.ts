/**
 * Which of the things that are known explains a break: the nearest cause is told, one per break. Pure; who
 * looks them up is lib/run/explain-night.ts. Texts name files, columns and codes, never a value.
 */
import type { ExplainingFile, InFlight } from '../../lib/ledger/break-explanation.ts'
import type { Break } from '../../lib/model/break.ts'
import type { Explanation, ExplanationCause } from '../../lib/model/explanation.ts'
import type { LoadMode } from '../../lib/model/run.ts'

/** What was found of one break's key. */
export interface KnownOfBreak {
  /** The reject of a record that would have had its key. */
  readonly rejected: {
    readonly step: string
    readonly code: string
    readonly column: string | null
    readonly file: string
    readonly line: number
  } | null
  /** What wrote the target's row last. */
  readonly version: { readonly mark: string; readonly file: ExplainingFile | null } | null
  /** Where an earlier load of the date had it. */
  readonly earlier: { readonly file: string; readonly line: number } | null
}

/** What is known of the night. */
export interface KnownOfNight {
  /** The comparison is of the job's own records with the target that it loads. */
  readonly own: boolean
  /** Kinds of breaks that a rejected record may be behind: the side that would have its row lacks it. */
  readonly rejectedKinds: readonly Break['kind'][]
  /** `schema.table`. */
  readonly table: string
  readonly mode: LoadMode | null
  /** The latest version that tonight's load brought; null where the table keeps none. */
  readonly latest: string | null
  /** The last load, in words: `revision 2, 2026-11-20 21:40 UTC`. */
  readonly load: string
  readonly inFlight: InFlight
}

/** The cause of a break, null when nothing that is known explains it. */
export function explain(found: Break, known: KnownOfBreak, night: KnownOfNight): Explanation | null {
  if (!['value_mismatch', 'missing_in_target', 'missing_in_source'].includes(found.kind)) return null
  const of = (
    cause: ExplanationCause,
    text: string,
    at: { readonly file: string; readonly line: number } | null = found.origin,
  ): Explanation => ({ cause, text, file: at?.file ?? null, line: at?.line ?? null })
  const { rejected, version } = known
  if (rejected !== null && night.rejectedKinds.includes(found.kind)) {
    const where = rejected.column === null ? '' : ` in ${rejected.column}`
    return rejected.step === 'load'
      ? of('refused', `its record was refused by the load: ${rejected.code}${where}`, rejected)
      : of('rejected', `its record was rejected by ${rejected.step}: ${rejected.code}${where}`, rejected)
  }
  if (version !== null && night.latest !== null && version.mark > night.latest)
    return of('later_load', `a later load wrote this row: ${fileOf(version)}`)
  if (found.kind === 'missing_in_source') return night.own ? leftFrom(known, of) : null
  if (night.inFlight.calls > 0)
    return of('in_flight', `${night.inFlight.calls} calls of this run had no answer when it was compared`)
  if (!night.own) return null
  const { runs } = night.inFlight
  if (runs.length > 0 && (night.mode === 'upsert' || night.mode === 'mirror'))
    return of('in_flight', `the load of ${runs.join(', ')} was at work when it was compared`)
  const what = found.kind === 'missing_in_target' ? 'removed from' : 'changed in'
  return of('changed_after_load', `${what} ${night.table} after its load (${night.load})`)
}

/** Where a row came from that only the target has. */
function leftFrom(
  { version, earlier }: KnownOfBreak,
  of: (cause: ExplanationCause, text: string, at: KnownOfBreak['earlier']) => Explanation,
): Explanation | null {
  if (earlier !== null)
    return of(
      'superseded',
      `loaded for this date from ${earlier.file}, which its files no longer have`,
      earlier,
    )
  if (version === null) return null
  const { file } = version
  if (file?.state === 'superseded')
    return of('superseded', `loaded from ${fileOf(version)}, which was ${file.reason}`, null)
  return of('earlier_load', `loaded from ${fileOf(version)}; tonight's files do not have it`, null)
}

/** `orders.csv of 2026-11-20`. */
function fileOf({ mark, file }: NonNullable<KnownOfBreak['version']>): string {
  const [date] = mark.split('#')
  return file === null ? `files of ${date}` : `${file.name} of ${date}`
}

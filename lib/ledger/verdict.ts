/**
 * What each file is to its feed and date, judged in order of arrival against what is applied there.
 * Pure; reading and writing the files is freeze.ts. The words are delivery.md's "Identity".
 */
import type { Verdict } from '../model/run.ts'

/** What the judgement needs to know of a file. */
export interface JudgedFile {
  /** Order of arrival. */
  readonly id: string
  readonly remoteName: string
  readonly contentSha256: string
}

/** A judged file. */
export interface Judgement<F extends JudgedFile> {
  readonly file: F
  readonly verdict: Verdict
  /** The file that it replaces (correction) or repeats (duplicate). */
  readonly supersedes: F | null
  /** The file of the same judgement that replaces it in turn: it is not loaded. */
  readonly supersededBy: F | null
}

/** What a date's files come to. */
export interface Judgements<F extends JudgedFile> {
  /** Every pending file, in order of arrival. */
  readonly judged: readonly Judgement<F>[]
  /** The date's whole set once the pending files are applied, in order of arrival. */
  readonly set: readonly F[]
}

/**
 * Judges the pending files. `duplicate`: its content is in the set already. `correction`: other content
 * where only one file may be (one per date) or of the same name. Else `new` when the set is empty,
 * `additional` when it is not.
 */
export function judge<F extends JudgedFile>(
  perDate: 'one' | 'many',
  applied: readonly F[],
  pending: readonly F[],
): Judgements<F> {
  const set = [...applied]
  const judged: Judgement<F>[] = []
  for (const file of pending) {
    const same = set.find(other => other.contentSha256 === file.contentSha256)
    if (same !== undefined) {
      judged.push({ file, verdict: 'duplicate', supersedes: same, supersededBy: null })
      continue
    }
    const replaced = perDate === 'one' ? set.at(-1) : set.find(other => other.remoteName === file.remoteName)
    if (replaced === undefined) {
      const verdict = set.length === 0 ? 'new' : 'additional'
      judged.push({ file, verdict, supersedes: null, supersededBy: null })
    } else {
      set.splice(set.indexOf(replaced), 1)
      const earlier = judged.findIndex(judgement => judgement.file === replaced)
      if (earlier >= 0) judged[earlier] = { ...judged[earlier]!, supersededBy: file }
      judged.push({ file, verdict: 'correction', supersedes: replaced, supersededBy: null })
    }
    set.push(file)
  }
  return { judged, set }
}

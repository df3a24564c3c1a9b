/**
 * What many breaks have in common, and which difference is the amount of one row that a side lacks.
 * For display only: nothing here decides anything. Looks at every break and keeps a bounded part.
 */
import type { Break, Concentration, OpenItem, Patterns, ProofLine } from '../../lib/model/break.ts'
import { absolute, parseDecimal, toText } from '../../lib/model/decimal.ts'

/** Different values, amounts and differences that are remembered: some megabytes, whatever the number of breaks. */
const REMEMBERED = 10_000

/** A share this large is worth a sentence, from three breaks on. */
const CONCENTRATED = 0.8

/** A likely cause is worth one from this share on. */
const WORTH_A_HINT = 0.1

/** Open items that are told. */
const OPEN_ITEMS = 5

/** Counts of values; those met first are counted to the end, later ones not at all, so that a count is never too high. */
class Counter {
  readonly #counts = new Map<string, number>()

  add(value: string): void {
    const count = this.#counts.get(value)
    if (count !== undefined) this.#counts.set(value, count + 1)
    else if (this.#counts.size < REMEMBERED) this.#counts.set(value, 1)
  }

  /** The most frequent one, when it is one of two at least and makes up this share. */
  top(of: number, share: number): { readonly value: string; readonly count: number } | null {
    let best: { value: string; count: number } | null = null
    for (const [value, count] of this.#counts)
      if (best === null || count > best.count) best = { value, count }
    return best !== null && best.count >= 2 && best.count >= of * share ? best : null
  }
}

interface OneSided {
  readonly key: Break['key']
  readonly kind: OpenItem['kind']
}

/** Gathers what breaks have in common while they are found. */
export class PatternBook {
  readonly #files = new Counter()
  readonly #columns = new Counter()
  readonly #hints = new Counter()
  /** Rows of one side by column and amount without its sign; null where several have the same. */
  readonly #items = new Map<string, OneSided | null>()
  readonly #deltas: { readonly column: string; readonly delta: string; readonly key: Break['key'] }[] = []
  #total = 0

  add(found: Break): void {
    this.#total += 1
    if (found.origin !== null) this.#files.add(found.origin.file)
    if (found.hint !== '') this.#hints.add(found.hint)
    if (found.kind === 'value_mismatch') this.#mismatch(found)
    else if (found.kind === 'missing_in_target' || found.kind === 'missing_in_source')
      this.#oneSided(found, found.kind)
  }

  #mismatch({ columns, key }: Break): void {
    if (columns.length === 1) this.#columns.add(columns[0]!.name)
    for (const { name, delta } of columns) {
      if (delta !== null && this.#deltas.length < REMEMBERED) this.#deltas.push({ column: name, delta, key })
    }
  }

  #oneSided({ columns, key, leftRows, rightRows }: Break, kind: OpenItem['kind']): void {
    if (leftRows + rightRows !== 1) return
    for (const { name, left, right, nature } of columns) {
      const amount = nature === 'amount' ? sizeOf(left ?? right ?? '') : null
      if (amount === null) continue
      const place = `${name}\n${amount}`
      if (this.#items.has(place)) this.#items.set(place, null)
      else if (this.#items.size < REMEMBERED) this.#items.set(place, { key, kind })
    }
  }

  /** What was found. `files`: how many files the source is made of; one alone is no news. `totals`: control totals by name, of one column each. */
  result(
    files: number,
    proof: readonly ProofLine[],
    totals: ReadonlyMap<string, string>,
  ): Pick<Patterns, 'concentrations' | 'openItems'> {
    return { concentrations: this.#concentrations(files), openItems: this.#openItems(proof, totals) }
  }

  #concentrations(files: number): Concentration[] {
    const of = this.#total
    if (of < 3) return []
    const told = (what: Concentration['what'], counter: Counter, share: number): Concentration[] => {
      const top = counter.top(of, share)
      return top === null ? [] : [{ what, ...top, of }]
    }
    return [
      ...(files > 1 ? told('file', this.#files, CONCENTRATED) : []),
      ...told('column', this.#columns, CONCENTRATED),
      ...told('hint', this.#hints, WORTH_A_HINT),
    ]
  }

  #openItems(proof: readonly ProofLine[], totals: ReadonlyMap<string, string>): OpenItem[] {
    const found: OpenItem[] = []
    const look = (column: string, delta: string, key: Break['key'] | null): void => {
      const amount = sizeOf(delta)
      const item = amount === null ? undefined : this.#items.get(`${column}\n${amount}`)
      if (item !== undefined && item !== null && found.length < OPEN_ITEMS)
        found.push({ column, delta, key, item: item.key, kind: item.kind })
    }
    // A whole difference that is one open item says more than single ones; of a lone break it says nothing.
    if (this.#total > 1) {
      for (const { total, difference } of proof) {
        const column = totals.get(total)
        if (column !== undefined) look(column, difference, null)
      }
    }
    for (const { column, delta, key } of this.#deltas) look(column, delta, key)
    return found
  }
}

/** An amount without its sign, canonical; null for zero and for what is no number. */
function sizeOf(text: string): string | null {
  const value = parseDecimal(text)
  return value === null || value.unscaled === 0n ? null : toText(absolute(value))
}

/**
 * Rules of OFAC's list as named functions: how its two editions, XML and CSV, say the same thing.
 * What each says is in its own mapping.
 */
import { refuse } from '../../lib/map/index.ts'

/** The token that the CSV edition writes for no value, the blank behind it included. */
export const CSV_NULL = '-0- '

const joined = (separator: string, parts: readonly (string | null)[]): string | null => {
  const given = parts.filter(part => part !== null && part !== '')
  return given.length === 0 ? null : given.join(separator)
}

/** A name as the CSV edition writes it: `LAST, First`. */
export function fullName(last: string | null, first: string | null): string | ReturnType<typeof refuse> {
  return joined(', ', [last, first]) ?? refuse('must state a name')
}

/** The lines of an address in one. */
export function streetOf(...lines: readonly (string | null)[]): string | null {
  return joined(', ', lines)
}

/** City, state and postal code as the CSV edition writes them: `Miami, FL 33166`. */
export function placeOf(city: string | null, state: string | null, postalCode: string | null): string | null {
  return joined(' ', [joined(', ', [city, state]), postalCode])
}

/** The CSV edition has no double quote within its texts: it writes a single one there. */
export function withoutDoubleQuotes<T>(text: T): T | string {
  return typeof text === 'string' ? text.replaceAll('"', "'") : text
}

const inOrder = (texts: readonly string[], separator: string): string | null =>
  texts.length === 0 ? null : [...texts].sort().join(separator)

/** Programs are a set: the editions list them in different orders. */
export function programsOf(programs: readonly string[]): string | ReturnType<typeof refuse> {
  return inOrder(programs, ' ') ?? refuse('must name a program')
}

/** Programs of the CSV edition: `SYRIA] [FSE-SY`. */
export function programsOfCsv(programs: string | null): string | ReturnType<typeof refuse> {
  return programsOf(programs === null || programs === CSV_NULL ? [] : programs.split('] ['))
}

/** The names among all aliases of a party whose category says weak. Each alias states its name and its category once. */
export function weakNames(
  names: readonly string[],
  categories: readonly string[],
): string | null | ReturnType<typeof refuse> {
  if (names.length !== categories.length) return refuse('must stand once in each alias, beside its category')
  return inOrder(names.filter((_, index) => categories[index] === 'weak').map(withoutDoubleQuotes), ' / ')
}

/**
 * The weak aliases that the CSV edition tells among the remarks of the party and nowhere else:
 * `...; a.k.a. 'VEB'; a.k.a. 'M.M.E.'; Linked To: ...`. A name may hold a single quote of its own.
 */
export function weakNamesOfRemarks(remarks: string | null): string | null {
  const found = (remarks ?? '').matchAll(/(?:^|; |\()[afn]\.k\.a\. '(.*?)'(?=; |\.?$|\))/g)
  return inOrder(
    [...found].map(match => match[1]!),
    ' / ',
  )
}

/** Tonnage with or without commas between thousands: `318,000`. */
export function tonnageOf(text: string | null): number | null | ReturnType<typeof refuse> {
  if (text === null || text === CSV_NULL) return null
  return /^\d{1,3}(?:,\d{3})+$|^\d{1,9}$/.test(text)
    ? Number(text.replaceAll(',', ''))
    : refuse('must be a whole number such as 318,000')
}

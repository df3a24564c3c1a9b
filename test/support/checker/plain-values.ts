/**
 * Values as the partners write them, to the one text that the checker compares: exact decimals, days,
 * instants of a zone. Undefined means that the value is no such thing. BigInt and Intl only.
 */

/** A plain decimal in canonical text (`-12.5`, no trailing zeros); undefined when it is none or does not fit numeric(precision, scale). */
export function decimal(text: string, precision: number, scale: number): string | undefined {
  const match = /^([+-]?)(\d*)(?:\.(\d*))?$/.exec(text)
  if (match === null || `${match[2]}${match[3] ?? ''}` === '') return undefined
  const whole = match[2]!.replace(/^0+/, '')
  const fraction = (match[3] ?? '').replace(/0+$/, '')
  if (fraction.length > scale || whole.length > precision - scale) return undefined
  if (whole === '' && fraction === '') return '0'
  return `${match[1] === '-' ? '-' : ''}${whole === '' ? '0' : whole}${fraction === '' ? '' : `.${fraction}`}`
}

/** The exact sum of canonical decimals. */
export function sum(values: readonly string[]): string {
  const places = Math.max(0, ...values.map(value => value.split('.')[1]?.length ?? 0))
  let total = 0n
  for (const value of values) {
    const [whole, fraction = ''] = value.split('.')
    total += BigInt(`${whole}${fraction.padEnd(places, '0')}`)
  }
  const digits = (total < 0n ? -total : total).toString().padStart(places + 1, '0')
  const text = `${digits.slice(0, digits.length - places)}.${digits.slice(digits.length - places)}`
  return `${total < 0n ? '-' : ''}${places === 0 ? digits : text.replace(/\.?0+$/, '')}`
}

/** A day that exists, from `yyyy-MM-dd`. */
export function day(text: string): string | undefined {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text) || text < '0001') return undefined
  const ms = Date.parse(`${text}T00:00:00Z`)
  return Number.isNaN(ms) || new Date(ms).toISOString().slice(0, 10) !== text ? undefined : text
}

const london = new Intl.DateTimeFormat('en-GB', {
  timeZone: 'Europe/London',
  hourCycle: 'h23',
  ...{
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
  },
})

function inLondon(ms: number): string {
  const part = Object.fromEntries(london.formatToParts(ms).map(({ type, value }) => [type, value]))
  return `${part.year}-${part.month}-${part.day} ${part.hour}:${part.minute}:${part.second}`
}

/** The instant of a local time of London, `yyyy-MM-dd HH:mm:ss`, as UTC text; undefined when clocks made it twice or never. */
export function londonInstant(text: string): string | undefined {
  if (!/^\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}$/.test(text) || day(text.slice(0, 10)) === undefined)
    return undefined
  const wall = Date.parse(`${text.replace(' ', 'T')}Z`)
  if (Number.isNaN(wall)) return undefined
  const instants = [wall, wall - 3_600_000].filter(ms => inLondon(ms) === text)
  return instants.length === 1 ? new Date(instants[0]!).toISOString().slice(0, 19) : undefined
}

/** Characters as a database counts them. */
export function length(text: string): number {
  return Array.from(text).length
}

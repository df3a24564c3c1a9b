/**
 * Text from outside made safe to look at: control characters, line breaks and characters that turn
 * the direction of reading become visible escapes, and long text is cut, visibly.
 * HTML escaping is not done here but by the template of html/.
 */

// Controls (Cc), formats such as turns of direction, zero-width characters and the byte order mark (Cf), line and
// paragraph separators (Zl, Zp), lone surrogates (Cs).
const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu

const NAMED: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' }

function escaped(character: string): string {
  return NAMED[character] ?? `\\u${character.codePointAt(0)!.toString(16).padStart(4, '0')}`
}

/** The text with everything unseen escaped, at most `limit` characters; what is longer ends with `…`. */
export function visible(text: string, limit = 400): string {
  const whole = text.length > limit ? bounded(text, limit) : text
  const shown = whole.replace(UNSEEN, escaped)
  return shown.length > limit || whole !== text ? `${bounded(shown, limit)}…` : shown
}

/**
 * Lines of a text whose line breaks are ours, each made visible, as many whole ones as `limit` characters
 * take: what is cut in the middle can't be copied. `left` counts the lines that are not among them.
 */
export function visibleLines(text: string, limit: number): { lines: string[]; left: number } {
  const lines: string[] = []
  const all = text.split('\n')
  let size = 0
  for (const line of all) {
    const shown = visible(line, limit)
    size += shown.length + 1
    if (size > limit) break
    lines.push(shown)
  }
  return { lines, left: all.length - lines.length }
}

/** The first characters, without half a surrogate pair at the end. */
function bounded(text: string, limit: number): string {
  return text.slice(0, limit).replace(/[\ud800-\udbff]$/, '')
}

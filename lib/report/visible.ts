/**
 * Text from outside made safe to look at: control characters, line breaks and characters that turn
 * the direction of reading become visible escapes, and long text is cut, visibly.
 * HTML escaping is not done here but by the template of html/.
 */

// C0, DEL, C1, line and paragraph separators, bidirectional controls, zero-width characters, BOM, lone surrogates.
const UNSEEN =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: finding them is what this is for
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g

function escaped(character: string): string {
  if (character === '\n') return '\\n'
  if (character === '\r') return '\\r'
  if (character === '\t') return '\\t'
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
}

/** The text with everything unseen escaped, at most `limit` characters; what is longer ends with `…`. */
export function visible(text: string, limit = 400): string {
  const cut = text.length > limit ? `${text.slice(0, limit).replace(/[\ud800-\udbff]$/, '')}…` : text
  return cut.replace(UNSEEN, escaped)
}

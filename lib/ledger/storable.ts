/**
 * Text from outside in a form that Postgres can hold: no NUL, no half of a surrogate pair. What was
 * changed stays visible; the file itself is in the archive, byte for byte.
 */

/** `␀` stands for NUL, U+FFFD for half a surrogate pair. */
export function storable(text: string): string {
  return text.replaceAll('\0', '␀').toWellFormed()
}

/** JSON text with the same replacements in its strings. */
export function storableJson(value: unknown): string {
  return JSON.stringify(value, (_key, inner) => (typeof inner === 'string' ? storable(inner) : inner))
}

/**
 * A character's code, for walks over texts on the row path. Everywhere else `text.charCodeAt(at)` is fine.
 */

// oxlint-disable-next-line typescript/unbound-method -- it is only ever called with a text
const { charCodeAt } = String.prototype

/**
 * The UTF-16 code at a place within the text.
 * Cost: 3 ns. V8 keeps short, cut, joined and two-byte strings under different maps, and where a
 * function meets more than four of them, `text.charCodeAt` looks the method up anew for every
 * character: 25 ns. The method itself is called here, so there is nothing to look up. A place beyond
 * the end gives NaN and once and for all makes this a real call, 10 ns: look at the length before.
 */
export function codeAt(text: string, at: number): number {
  return charCodeAt.call(text, at)
}

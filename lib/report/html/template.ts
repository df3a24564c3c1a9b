/**
 * The `html` template of hono as the renderers use it: everything put into it is escaped, results
 * are plain markup and never promises. The only importer of hono/html.
 */
import { raw, html as template } from 'hono/html'

/** Markup that is already escaped. */
export type Markup = ReturnType<typeof raw>

/** What may stand in a template: text is escaped, markup stands as it is, arrays follow each other. */
type Part = string | number | Markup | readonly Markup[]

/** Markup from a template; strings in it are escaped, quotes included. */
export function markup(strings: TemplateStringsArray, ...parts: readonly Part[]): Markup {
  // A Promise comes only of promises put in, which Part does not allow.
  return template(strings, ...parts) as Markup
}

/** Our own style sheet, unescaped. Never anything from outside. */
export function trusted(text: string): Markup {
  return raw(text)
}

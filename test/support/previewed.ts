/**
 * Runs `tallyman preview` in this process and gives what it printed.
 */
import { preview } from '../../bin/commands/preview.ts'
import { openSession } from '../../bin/session.ts'
import { openTerminal } from '../../bin/terminal.ts'

/** Exit code and standard output. */
export async function previewed(
  path: string,
  options: Readonly<Record<string, unknown>> = {},
  json = false,
): Promise<{ code: number; out: string }> {
  const printed: string[] = []
  const stdout = { write: (text: string) => printed.push(text) > 0 } as unknown as NodeJS.WriteStream
  const terminal = openTerminal({ stdout, stderr: stdout }, { json, quiet: true, noColor: true })
  const session = openSession(terminal, {}, process.cwd(), new AbortController().signal)
  try {
    const code = await preview(session, { header: true, ...options }, path)
    return { code, out: printed.join('') }
  } finally {
    await session.close()
  }
}

/** Exit code and the JSON lines printed. */
export async function previewedJson(
  path: string,
  options: Readonly<Record<string, unknown>> = {},
): Promise<{ code: number; lines: readonly unknown[] }> {
  const { code, out } = await previewed(path, options, true)
  const lines = out.trimEnd().split('\n')
  return { code, lines: lines.map(line => JSON.parse(line) as unknown) }
}

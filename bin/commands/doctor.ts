/**
 * `tallyman doctor`: whether everything outside answers and is as expected; each finding with its fix.
 */
import { EXIT } from '../exit-codes.ts'
import type { Session } from '../session.ts'
import { jsonDocument } from '../terminal.ts'

/** Exit 0 when all is well, 1 otherwise. */
export async function doctor(session: Session): Promise<number> {
  const engine = await session.engine()
  const { examine } = await import('../../lib/run/doctor.ts')
  const findings = await examine(engine)
  const { terminal } = session
  if (terminal.json) terminal.out(jsonDocument({ findings }))
  else {
    for (const { subject, ok, message, fix } of findings) {
      terminal.out(
        `${ok ? terminal.paintOut('good', 'ok ') : terminal.paintOut('bad', 'ill')} ${subject}: ${message}\n`,
      )
      if (fix !== '') terminal.out(`    fix: ${fix.replaceAll('\n', '\n         ')}\n`)
    }
  }
  return findings.every(finding => finding.ok) ? EXIT.done : EXIT.failed
}

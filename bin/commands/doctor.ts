/**
 * `tallyman doctor`: whether everything outside answers and is as expected; each finding with its fix.
 */
import { TallymanError } from '../../lib/model/errors.ts'
import { silentLog } from '../../lib/model/progress.ts'
import { systemClock } from '../../lib/model/time/clock.ts'
import type { Surroundings } from '../../lib/run/doctor.ts'
import type { Engine } from '../../lib/run/engine.ts'
import { EXIT } from '../exit-codes.ts'
import type { Session } from '../session.ts'
import { jsonDocument } from '../terminal.ts'

/** Exit 0 when all is well, 1 otherwise; a database that does not answer is a finding among others. */
export async function doctor(session: Session): Promise<number> {
  const around = await session.surroundings()
  const engine = await session.engine().catch((error: unknown) => {
    if (error instanceof TallymanError) return error
    throw error
  })
  const { examine } = await import('../../lib/run/doctor.ts')
  const findings = await examine(
    engine instanceof TallymanError ? await withoutEngine(session, around) : engine,
    engine,
  )
  const { terminal } = session
  if (terminal.json) terminal.out(jsonDocument({ findings }))
  else {
    for (const { subject, ok, message, fix } of findings) {
      const mark = ok ? terminal.paintOut('good', 'ok ') : terminal.paintOut('bad', 'ill')
      terminal.data(`${mark} ${subject}: ${message}`)
      if (fix !== '') terminal.data(`    fix: ${fix.replaceAll('\n', '\n         ')}`)
    }
  }
  return findings.every(finding => finding.ok) ? EXIT.done : EXIT.failed
}

async function withoutEngine(
  session: Session,
  around: Pick<Engine, 'environment' | 'timetable'>,
): Promise<Surroundings> {
  const { secretResolver } = await import('../../lib/config/secrets.ts')
  const { Redactor } = await import('../../lib/log/redactor.ts')
  const { production } = around.environment
  return {
    ...around,
    secrets: secretResolver({ env: session.variables, redactor: new Redactor(), production }),
    clock: systemClock,
    log: silentLog,
    signal: session.signal,
  }
}

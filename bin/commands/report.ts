/**
 * `tallyman report send`: a run's mail again, under its own Message-ID; with --dry-run as files only.
 */
import { latestMail, requeueMail } from '../../lib/ledger/outbox.ts'
import { listRuns } from '../../lib/ledger/run-list.ts'
import { ConfigError } from '../../lib/model/errors.ts'
import { isDate } from '../../lib/model/time/business-date.ts'
import { writeMailFiles } from '../../lib/report/deliver/outbox-folder.ts'
import { sendMails } from '../../lib/run/report-step.ts'
import { EXIT } from '../exit-codes.ts'
import type { Session } from '../session.ts'
import { jsonDocument } from '../terminal.ts'
import { jobNamed } from './options.ts'

/** Exit 0 sent or kept, 75 when it has to wait, 2 when there is no such mail. */
export async function report(
  session: Session,
  options: Record<string, unknown>,
  action: string,
): Promise<number> {
  if (action !== 'send')
    throw new ConfigError(
      'CONFIG_USAGE',
      `report knows send, not ${JSON.stringify(action)}. Nothing was done.`,
    )
  const [job = '', date = ''] = (options.run as string).split('@')
  if (!isDate(date))
    throw new ConfigError(
      'CONFIG_USAGE',
      '--run takes job@date, such as fx-rates@2026-11-20. Nothing was done.',
    )
  jobNamed((await session.configuration()).timetable, job)
  const engine = await session.engine()
  const [run] = await engine.database.use(connection =>
    listRuns(connection, { jobs: [job], from: date, to: date }),
  )
  const mail =
    run === undefined ? null : await engine.database.use(connection => latestMail(connection, run.id))
  if (run === undefined || mail === null)
    throw new ConfigError(
      'CONFIG_USAGE',
      `${job} has no mail for ${date}: it was not run, or there was nothing to say. Nothing was done.`,
    )
  const { terminal } = session
  if (options.dryRun === true) {
    const files = await writeMailFiles(engine.folders.outbox, mail)
    terminal.out(
      terminal.json
        ? jsonDocument({ messageId: mail.messageId, state: 'kept', files })
        : `${files.html}\n${files.eml}\n`,
    )
    return EXIT.done
  }
  await engine.database.use(connection => requeueMail(connection, mail.id))
  const sent = await sendMails(engine, run.id, mail.messageId)
  terminal.out(terminal.json ? jsonDocument(sent) : `${sent?.state ?? 'waiting'} ${mail.subject}\n`)
  return sent?.state === 'waiting' ? EXIT.tryLater : sent?.state === 'failed' ? EXIT.failed : EXIT.done
}

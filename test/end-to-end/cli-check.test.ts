/** `check` on a project full of planted mistakes: every one is listed at once, with its place and its fix. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BORROWED, call, callJson, projectWith } from '../support/cli.ts'
import { ROOT } from '../support/source-facts.ts'

interface Complaint {
  readonly where: string
  readonly problem: string
  readonly fix: string
}

const BUILDERS = `
import { settled, sftp } from '{ROOT}/lib/fetch/sources.ts'
import { api } from '{ROOT}/lib/load/api.ts'
import { postgres } from '{ROOT}/lib/load/postgres.ts'
import { defineMapping, read } from '{ROOT}/lib/map/index.ts'
import { defineJob } from '{ROOT}/lib/model/define-job.ts'
import { column, defineTable } from '{ROOT}/lib/model/table.ts'
import { csv } from '{ROOT}/lib/parse/csv.ts'
import { xml } from '{ROOT}/lib/parse/xml.ts'
import { mail } from '{ROOT}/lib/report/mail.ts'
import { comparison, snapshots, within } from '{ROOT}/reconcile/snapshots.ts'
`

const TABLES = `${BUILDERS}
const columns = {
  id: column.text({ doc: 'Number.' }),
  name: column.text({ doc: 'Name.' }),
  amount: column.decimal({ precision: 12, scale: 2, doc: 'Amount.' }),
}
export const keyed = defineTable('erp', 'keyed', columns, { doc: 'With a key.', key: ['id'] })
export const keyless = defineTable('erp', 'keyless', columns, { doc: 'Without.', key: [] })
const fields = {
  id: read.text('Id', { doc: 'Number.' }),
  name: read.text('Name', { doc: 'Name.' }),
  amount: read.decimal('Amount', { doc: 'Amount.' }),
}
const source = ['Id', 'Name', 'Amount']
export const toKeyed = defineMapping({ name: 'to-keyed', version: 1, doc: 'Rows.', source, table: keyed, fields })
export const toKeyless = defineMapping({ name: 'to-keyless', version: 1, doc: 'Rows.', source, table: keyless, fields })
export const common = { purpose: 'A purpose.', owner: 'somebody', ifLate: 'Harmless.' }
export const from = (feed, more = {}) =>
  sftp({ endpoint: 'partner', feed, files: 'A_{yyyyMMdd}.csv', completeWhen: settled(), ...more })
`

const job = (name: string, parts: string): string => `${BUILDERS}
import { common, from, keyed, keyless, toKeyed, toKeyless } from '../tables.ts'
export default defineJob({ ...common, name: '${name}', reconcile: { comparisons: [] }, report: mail({ to: 'team' }), ${parts} })
`

/** One job per line of the timetable; each has mistakes of another kind. */
const PROJECT: Readonly<Record<string, string>> = {
  'tables.ts': TABLES,
  'mappings/odd.ts': `${BUILDERS}
defineTable('erp', 'Bad-Name', { id: column.text({ doc: '' }) }, { doc: 'Odd.', key: ['nothing'] })
`,
  'mappings/unloadable.ts': "import { nothing } from '{ROOT}/lib/model/steps.ts'\nexport default nothing\n",
  'jobs/a-source.ts': job(
    'a-source',
    `fetch: from('twice', { endpoint: 'nowhere', files: 'A_{yyyyXXdd}.csv', dateFrom: 'name' }), parse: csv(), map: toKeyed,
     load: postgres({ table: keyed, mode: 'upsert' }), report: mail({ to: 'nobody' })`,
  ),
  'jobs/b-modes.ts': job(
    'b-modes',
    `fetch: from('twice'), parse: csv({ header: ['Id', 'Amount'] }), map: toKeyless,
     load: postgres({ table: keyless, mode: 'mirror' })`,
  ),
  'jobs/c-scope.ts': job(
    'c-scope',
    `fetch: from('c'), parse: csv({ charset: 'klingon', delimiter: '' }), map: toKeyless,
     load: postgres({ table: keyless, mode: 'replace' })`,
  ),
  'jobs/d-rules.ts': job(
    'd-rules',
    `fetch: from('d', { dateFrom: { content: 'Date: .*', format: 'yyyy' } }), parse: csv(), map: toKeyed,
     load: postgres({ table: keyed, mode: 'upsert' }),
     reconcile: snapshots({ table: keyed, compare: { name: within('0.01'), id: within('1') }, ignore: ['gone'],
       totals: { names: { measure: 'sum', of: 'name' } }, pending: { column: 'name', graceHours: 0 },
       gates: { asOf: { fromHours: 5, untilHours: 5 } },
       limits: { missing: { warn: { count: 1 } }, duplicate: { fail: { amount: '1,50', percent: 101 } } } })`,
  ),
  'jobs/e-api.ts': job(
    'e-api',
    `fetch: from('e'), parse: xml({ records: { record: { path: 'A/B', columns: ['Id', 'Name'] } } }), map: toKeyed,
     load: api({ endpoint: 'nothere', path: '../admin', table: keyed, maxItems: 0 }), owner: ' '`,
  ),
  'jobs/f-forgotten.ts': job(
    'f-forgotten',
    `fetch: from('f'), parse: csv(), map: toKeyed, load: postgres({ table: keyed, mode: 'upsert' })`,
  ),
  'jobs.config.ts': `
import a from './jobs/a-source.ts'
import b from './jobs/b-modes.ts'
import c from './jobs/c-scope.ts'
import d from './jobs/d-rules.ts'
import e from './jobs/e-api.ts'
import { weekdays } from '{ROOT}/lib/schedule/calendars.ts'
const plan = { zone: 'Europe/Berlin', calendar: weekdays, businessDate: 'same-day', catchUp: 'all', fileUntil: null, cron: '0 5 * * *' }
export default { jobs: [
  { ...plan, job: a, cron: '61 5 * * *' },
  { ...plan, job: b, zone: 'Mars/Olympus', cron: '0 0 31 2 *' },
  { ...plan, job: c, fileUntil: '04:00', businessDate: 'tomorrow' },
  { ...plan, job: d, calendar: { name: 'never', weekend: [1, 2, 3, 4, 5, 6, 7], holidays: ['2026-02-30'] } },
  { ...plan, job: e },
  { ...plan, job: undefined },
] }
`,
  'environments/local.ts': `
export default {
  name: 'local', production: true, releaseMail: false, database: { kind: 'embedded' }, dataFolder: '.tallyman',
  sftp: { partner: { host: 'sftp.example.com', port: 0, username: 'u', hostKeys: ['ab:cd:ef'],
    auth: { kind: 'password', password: { literal: 'hunter2hunter2' } } } },
  api: { erp: { baseUrl: 'http://erp.example.com/api' } },
  smtp: { host: 'mail.example.com', port: 25, tls: 'none', user: 'u' },
  mailFrom: 'no address',
  recipients: { team: [] },
}
`,
}

/** Where and what, one line for each planted mistake. */
const PLANTED: readonly (readonly [where: string, problem: RegExp])[] = [
  ['mappings/unloadable.ts', /does not provide an export named 'nothing'/],
  ['definition', /Table erp\.Bad-Name .*no plain SQL name; key field nothing is not a column; .*empty doc/],
  ['job a-source, fetch.endpoint', /no SFTP endpoint "nowhere"/],
  ['job a-source, fetch.files', /can't be used: /],
  ['job a-source, report.to', /no recipients list "nobody"/],
  ['job a-source, cron', /61 5 \* \* \*/],
  ['job b-modes', /the feed twice is also that of job a-source/],
  ['job b-modes, parse.header', /"Name", which the mapping needs/],
  ['job b-modes, load.mode', /mirror needs a key, and erp\.keyless/],
  ['job b-modes, zone', /"Mars\/Olympus" is no IANA zone/],
  ['job b-modes, cron', /never comes due/],
  ['job c-scope', /the table erp\.keyless is also that of job b-modes/],
  ['job c-scope, parse', /the delimiter is empty; .*klingon/],
  ['job c-scope, load', /mode replace needs `scope`/],
  ['job c-scope, fileUntil', /04:00 is before the job starts \(05:00\)/],
  ['job c-scope, businessDate', /"tomorrow" is not known/],
  ['job d-rules, fetch.dateFrom.content', /has 0 groups/],
  ['job d-rules, fetch.dateFrom.format', /no whole date/],
  ['job d-rules, reconcile.keyed.rules.name', /a tolerance is for numbers, and this is text/],
  ['job d-rules, reconcile.keyed.rules.id', /a key has no tolerance/],
  ['job d-rules, reconcile.keyed.ignore', /gone is no column/],
  ['job d-rules, reconcile.keyed.totals.names', /sums name, which is text/],
  ['job d-rules, reconcile.keyed.pending.column', /is text, no time/],
  ['job d-rules, reconcile.keyed.pending.graceHours', /0 is no number of hours/],
  ['job d-rules, reconcile.keyed.gates.asOf', /no window/],
  ['job d-rules, reconcile.keyed.limits.missing', /no kind of breaks/],
  ['job d-rules, reconcile.keyed.limits.duplicate.fail', /percent is 101/],
  ['job d-rules, reconcile.keyed.limits.duplicate.fail', /"1,50" is no plain positive decimal/],
  ['job d-rules, reconcile.keyed.limits.duplicate.fail', /no control total of money/],
  ['job d-rules, calendar never', /has no business day/],
  ['job d-rules, calendar never', /"2026-02-30" is no date/],
  ['job e-api, parse.records.record', /"Amount", which the mapping needs/],
  ['job e-api, load', /maxItems is 0/],
  ['job e-api, load.endpoint', /no API "nothere"/],
  ['job e-api, load.path', /no plain path/],
  ['job e-api, owner', /is empty/],
  ['jobs/f-forgotten.ts', /job f-forgotten is not in jobs\.config\.ts/],
  ['jobs.config.ts, jobs[5]', /names no job/],
  ['environment local, database', /embedded database in production/],
  ['environment local, sftp.partner.auth.password', /a secret stands in the file/],
  ['environment sftp.partner, port', /0 is no port/],
  ['environment sftp.partner, hostKeys', /"ab:cd:ef" is no fingerprint/],
  ['environment local, api.erp.baseUrl', /is not https/],
  ['environment local, smtp.tls', /would travel readable/],
  ['environment local, smtp', /a user without a password/],
  ['environment local, mailFrom', /no address/],
  ['environment local, recipients.team', /has no address/],
]

test('check lists every one of the planted mistakes at once, each with its place and a fix', async () => {
  const { code, document } = await callJson<{ complaints: Complaint[] }>(projectWith(PROJECT), ['check'])
  assert.equal(code, 2)
  assert.equal(document.error?.code, 'CONFIG_INVALID')
  const left = [...document.data.complaints]
  const missed = PLANTED.filter(([where, problem]) => {
    const at = left.findIndex(one => one.where === where && problem.test(one.problem))
    if (at >= 0) left.splice(at, 1)
    return at < 0
  })
  const shown = document.data.complaints.map(({ where, problem }) => `${where}: ${problem}`).join('\n')
  assert.deepEqual(missed, [], shown)
  assert.deepEqual(left, [], 'nothing else is complained of, and nothing twice')
  assert.ok(document.data.complaints.every(({ fix }) => fix !== ''))
  assert.doesNotMatch(shown, /hunter2/, 'a literal secret is not repeated')
})

test('any other command refuses to start with a wrong timetable, and names what is wrong', async () => {
  const folder = projectWith({
    ...BORROWED,
    'jobs.config.ts': `
import timetable from '{ROOT}/jobs.config.ts'
export default { jobs: timetable.jobs.map(one => ({ ...one, zone: 'Mars/Olympus' })) }
`,
  })
  const { code, document } = await callJson(folder, ['files'])
  assert.equal(code, 2)
  assert.match(
    document.error!.message,
    /7 mistakes: job portal-orders, zone: "Mars\/Olympus" is no IANA zone/,
  )
})

test('the production example passes check without its secrets', async () => {
  const { code, stdout } = await call(ROOT, ['check'], { TALLYMAN_ENV: 'production.example' })
  assert.equal(code, 0, stdout)
  assert.equal(stdout, 'ok 7 jobs, no mistakes\n')
})

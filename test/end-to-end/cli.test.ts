/**
 * The program as it is called: documents, exit codes, dates, where it looks for its project, and what
 * a broken surrounding is told as. Each command is a process of its own.
 */
import assert from 'node:assert/strict'
import { cpSync, existsSync, mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { BORROWED, call, callJson, projectWith, start } from '../support/cli.ts'
import { ROOT } from '../support/source-facts.ts'

interface Runs {
  readonly runs: readonly {
    readonly job: string
    readonly state: string
    readonly attempt: number
    readonly counts: Readonly<Record<string, number>>
    readonly files: readonly { readonly name: string; readonly verdict: string }[]
    readonly steps: readonly { readonly step: string; readonly state: string }[]
  }[]
}

const project = projectWith({
  ...BORROWED,
  'environments/far.ts': `
import local from '{ROOT}/environments/local.ts'
export default { ...local, name: 'far', database: { kind: 'url', url: { env: 'DATABASE_URL' } }, dataFolder: '.far' }
`,
  'environments/closed.ts': `
import local from '{ROOT}/environments/local.ts'
export default { ...local, name: 'closed', dataFolder: 'jobs.config.ts/data' }
`,
})

function deliver(endpoint: string, date: string, wave = '1-evening'): void {
  const remote = join(project, '.tallyman', 'remote', endpoint)
  mkdirSync(remote, { recursive: true })
  cpSync(join(ROOT, 'fixtures', 'demo', date, wave, endpoint), remote, { recursive: true })
}

test('a mistyped command or option exits 2, suggests, and is one JSON document where asked', async () => {
  const command = await call(project, ['rnu'])
  assert.deepEqual([command.code, command.stdout], [2, ''])
  assert.match(command.stderr, /Unknown command 'rnu'\. Did you mean run\? Nothing was started/)
  const { code, document } = await callJson(project, ['runs', '--limt', '3'])
  assert.deepEqual([code, document.ok, document.error?.code], [2, false, 'CONFIG_USAGE'])
  assert.match(document.error!.message, /Did you mean --limit\?/)
  const bare = await call(project, [])
  assert.deepEqual([bare.code, bare.stdout], [2, ''])
  assert.match(bare.stderr, /Usage: tallyman/)
})

test('arguments are judged before anything is started', async () => {
  const wrong: readonly (readonly [code: string, args: readonly string[]])[] = [
    ['CONFIG_JOB_UNKNOWN', ['run', 'nope']],
    ['CONFIG_DATE_INVALID', ['run', 'fx-rates', '--date', '2026-02-30']],
    ['CONFIG_USAGE', ['run']],
    ['CONFIG_USAGE', ['run', '--select', 'colour:red']],
    ['CONFIG_USAGE', ['run', 'fx-rates', '--fail-on', 'mondays']],
    ['CONFIG_USAGE', ['rerun', 'fx-rates']],
    ['CONFIG_USAGE', ['rejects', 'eat']],
    ['CONFIG_USAGE', ['files', '--limit', '-1']],
    ['CONFIG_USAGE', ['report', 'send', '--run', 'yesterday']],
    ['CONFIG_ZONE_UNKNOWN', ['next', '0 5 * * *', '--zone', 'Mars/Olympus']],
    ['CONFIG_CRON_INVALID', ['next', '61 5 * * *', '--zone', 'UTC']],
  ]
  const results = await Promise.all(wrong.map(([, args]) => callJson(project, args)))
  assert.deepEqual(
    results.map(({ code, document }) => [code, document.error?.code]),
    wrong.map(([expected]) => [2, expected]),
  )
  assert.equal(existsSync(join(project, '.tallyman')), false, 'not even a data folder was made')
})

test('without DATABASE_URL, with a closed data folder or an unknown environment every command exits 2 and makes nothing', async () => {
  const cases = [
    ['far', 'CONFIG_SECRET_MISSING', /environment variable DATABASE_URL/],
    ['closed', 'CONFIG_DATA_FOLDER', /a part of its path is a file/],
    ['nowhere', 'CONFIG_FILE_MISSING', /TALLYMAN_ENV takes closed, far, local\./],
    ['../local', 'CONFIG_FILE_MISSING', /no environment's name/],
  ] as const
  for (const [TALLYMAN_ENV, expected, message] of cases) {
    const { code, document } = await callJson(project, ['status'], { TALLYMAN_ENV })
    assert.deepEqual([code, document.error?.code], [2, expected])
    assert.match(document.error!.message, message)
  }
  assert.equal(existsSync(join(project, '.far', 'archive')), false)
})

test('a database that does not answer exits 75', async () => {
  const variables = { TALLYMAN_ENV: 'far', DATABASE_URL: 'postgres://127.0.0.1:1/none' }
  const { code, document } = await callJson(project, ['runs'], variables)
  assert.deepEqual([code, document.error?.code], [75, 'RUN_DATABASE_UNREACHABLE'])
  assert.equal(document.error!.retry, 'backoff')
})

test('doctor tells what else is well or ill when the database does not answer', async () => {
  const variables = { TALLYMAN_ENV: 'far', DATABASE_URL: 'postgres://127.0.0.1:1/none' }
  const { code, document } = await callJson<{ findings: { subject: string; ok: boolean; fix: string }[] }>(
    project,
    ['doctor'],
    variables,
  )
  assert.equal(code, 1)
  const ill = document.data.findings.filter(({ ok }) => !ok)
  assert.deepEqual(
    ill.map(({ subject, fix }) => [subject, fix !== '']),
    [['database', true]],
  )
  assert.equal(document.data.findings.filter(({ subject }) => subject.startsWith('sftp')).length, 12)
})

test('run --json is exactly the public schema, on stdout alone, and a second run is nothing to do', async () => {
  deliver('portal', '2026-11-19')
  const args = ['run', 'portal-orders', '--date', '2026-11-19', '--create-target']
  const { code, document, stderr } = await callJson<Runs>(project, args)
  assert.equal(code, 0, stderr)
  assert.equal(document.ok, true)
  assert.deepEqual(Object.keys(document), ['schemaVersion', 'ok', 'data', 'warnings', 'error'])
  const [run] = document.data.runs
  assert.deepEqual(Object.keys(run!), [
    ...['job', 'businessDate', 'attempt', 'revision', 'state', 'files', 'counts', 'tables'],
    ...['reconcile', 'steps', 'report'],
  ])
  assert.partialDeepStrictEqual(run, {
    job: 'portal-orders',
    businessDate: '2026-11-19',
    attempt: 1,
    revision: 1,
    state: 'succeeded',
    files: [{ name: 'orders_20261119.csv', bytes: 4150, verdict: 'new' }],
    counts: { read: 48, mapped: 48, rejected: 0, filtered: 0 },
    tables: [
      {
        ...{ table: 'sales.order_line', inserted: 48, updated: 0, unchanged: 0, collapsed: 0, outdated: 0 },
        deleted: 0,
      },
    ],
    reconcile: {
      outcome: 'CLEAN',
      breaks: { new: 0, persisting: 0, changed: 0, resolved: 0, reopened: 0 },
      unexplained: '0',
    },
    report: { state: 'kept' },
  })
  assert.deepEqual(Object.keys(run!.files[0]!), ['name', 'contentSha256', 'bytes', 'verdict'])
  assert.deepEqual(
    run!.steps.map(({ step, state }) => `${step} ${state}`),
    ['fetch', 'parse', 'map', 'load', 'reconcile', 'report'].map(step => `${step} done`),
  )
  assert.match(stderr, /CLEAN portal-orders 2026-11-19/)
  assert.ok(!stderr.includes(String.fromCharCode(27)), 'no colour off a terminal')

  const again = await callJson<Runs>(project, args)
  assert.equal(again.code, 0)
  assert.partialDeepStrictEqual(again.document.data.runs[0], { state: 'nothing-to-do', attempt: 2 })
  assert.deepEqual(
    again.document.data.runs[0]!.files.map(({ verdict }) => verdict),
    ['duplicate'],
  )
})

test('of several jobs the worst decides the exit code, and a failed one stands in the document beside the others', async () => {
  deliver('payroll', '2026-11-20')
  deliver('portal', '2026-11-20')
  const args = ['run', 'payroll-hours', 'portal-orders', '--date', '2026-11-20', '--fail-on', 'rejects']
  const { code, document, stderr } = await callJson<Runs>(project, args)
  assert.equal(code, 1)
  assert.equal(document.error?.code, 'PARSE_TRAILER_MISSING')
  assert.deepEqual(
    document.data.runs.map(({ job, state, counts }) => [job, state, counts.rejected]),
    [
      ['portal-orders', 'succeeded', 2],
      ['payroll-hours', 'failed', 0],
    ],
  )
  assert.match(stderr, /error .*ended without its trailer line.*\n {2}next: .* runs --job payroll-hours/)
  const rejects = await callJson<Runs>(project, [
    ...['rerun', 'portal-orders', '--date', '2026-11-20', '--force', '--fail-on', 'rejects'],
  ])
  assert.equal(rejects.code, 3)
})

test('a file that has not come exits 1 once its window has closed, and says what was looked for', async () => {
  const { code, document } = await callJson<Runs>(project, ['run', 'fx-rates', '--date', '2026-11-20'])
  assert.deepEqual([code, document.error?.code], [1, 'FETCH_FILE_MISSING'])
  assert.match(document.error!.message, /eurofxref-hist\*_20261120\.xml/)
})

test('relative dates are meant in the zone and calendar of the job, and said on stderr', async () => {
  const { stderr, stdout } = await call(project, ['files', '--job', 'fx-rates', '--date', '-1bd', '--json'])
  const said = /^fx-rates: business date (\d{4}-\d{2}-\d{2}) \(-1bd, Europe\/Berlin\)$/m.exec(stderr)
  assert.ok(said !== null, stderr)
  assert.ok(![0, 6].includes(new Date(`${said[1]}T00:00:00Z`).getUTCDay()), 'a business day')
  assert.deepEqual(Object.keys(JSON.parse(stdout) as object), [
    'schemaVersion',
    'ok',
    'data',
    'warnings',
    'error',
  ])
  const quiet = await call(project, ['status', '--quiet'])
  assert.equal(quiet.stderr, '')
  assert.match(quiet.stdout, /^job +date +state/)
})

test('from a folder below the project its own data is found, from elsewhere this checkout is meant', async () => {
  mkdirSync(join(project, 'deep', 'down'), { recursive: true })
  const { document } = await callJson<{ files: unknown[] }>(join(project, 'deep', 'down'), ['files'])
  assert.ok(document.data.files.length >= 3)
  const elsewhere = await callJson<{ jobs: number }>(join(ROOT, '..'), ['check'])
  assert.deepEqual([elsewhere.code, elsewhere.document.data.jobs], [0, 7])
})

test('whoever stops reading our output is no error', async () => {
  const { child, ended } = start(project, ['next', '* * * * *', '--zone', 'UTC', '--count', '3000'])
  child.stdout!.once('data', () => child.stdout!.destroy())
  const { code, stderr } = await ended
  assert.deepEqual([code, stderr], [0, ''])
})

test('Ctrl-C ends a run with 130 after the transaction in hand, the attempt says so, and the next run finishes it', async () => {
  deliver('bank', '2026-11-20')
  // Interrupted once its first file is archived: between that and the mail lie several transactions.
  const { child, ended } = start(
    project,
    ['run', 'bank-statements', '--date', '2026-11-20', '--create-target'],
    {},
  )
  await new Promise<void>(resolve => {
    const look = setInterval(() => {
      const archive = join(project, '.tallyman', 'archive', 'bank-statements', '2026-11-20')
      if (!existsSync(archive) || readdirSync(archive).length === 0) return
      clearInterval(look)
      resolve()
    }, 20)
    child.once('close', () => clearInterval(look))
  })
  child.kill('SIGINT')
  const { code, stderr } = await ended
  assert.equal(code, 130, stderr)
  assert.match(stderr, /Stopping after the transaction in hand; Ctrl-C again stops at once\./)
  assert.match(stderr, /RUN_INTERRUPTED/)
  const { document } = await callJson<{ attempts: { state: string }[] }>(project, [
    ...['runs', '--job', 'bank-statements'],
  ])
  assert.deepEqual(
    document.data.attempts.map(({ state }) => state),
    ['interrupted'],
  )
  const next = await callJson<Runs>(project, [
    ...['run', 'bank-statements', '--date', '2026-11-20', '--create-target'],
  ])
  assert.equal(next.code, 0)
  assert.partialDeepStrictEqual(next.document.data.runs[0], {
    state: 'succeeded',
    counts: { read: 33, mapped: 24, rejected: 9 },
  })
})

test('SIGTERM ends the scheduler with 143', async () => {
  const { child, ended } = start(project, ['schedule'])
  await new Promise<void>(resolve => child.stderr!.once('data', () => resolve()))
  child.kill('SIGTERM')
  const { code } = await ended
  assert.equal(code, 143)
})

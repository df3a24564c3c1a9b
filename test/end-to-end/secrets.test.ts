/**
 * Secrets that peers repeat in their answers: written down nowhere, told to nobody. Every other test
 * with a night searches all it left for secrets as well (night.ts); here the search itself is proved.
 */
import assert from 'node:assert/strict'
import { rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { test } from 'node:test'
import { openNight } from '../support/night.ts'
import { command } from '../support/night-child.ts'
import { hours } from '../support/night-deliveries.ts'
import { leaksOf } from '../support/night-state.ts'
import { leaksIn } from '../support/postgres.ts'

const night = await openNight()
const token = night.variables.API_TOKEN!

test('a token that an API repeats in its refusals reaches no mail, log, ledger row or terminal', async () => {
  const date = '2026-11-02'
  await night.deliver('payroll', 'hours_20261102.csv', hours(date, ['00000001', '00000002', '00000003']))
  night.api.faults.push({ kind: 'error', status: 403, body: `{"message":"Bearer ${token} may not do this"}` })
  const refused = await command(night, ['run', 'payroll-hours', '--date', date, '--json'])
  assert.equal(refused.code, 1, refused.stderr)
  night.api.rules.reject = item =>
    item.employeeNo === '00000001'
      ? { code: 'SAID', message: `your token ${token} is fine, the row is not` }
      : null
  night.api.rules.poison = item =>
    item.employeeNo === '00000002' ? `your token ${token} is fine, one of the rows is not` : null
  const summary = await night.rerun('payroll-hours', date, { force: true })
  night.api.rules.reject = () => null
  night.api.rules.poison = () => null
  assert.equal(summary.counts.rejected, 2)
  assert.deepEqual(await leaksOf(night), [])
})

test('a database that can not be reached is told without its password', async () => {
  const url = new URL(night.variables.DATABASE_URL!)
  url.searchParams.set('host', path.join(night.folder, 'nowhere'))
  const child = await command({ ...night, variables: { ...night.variables, DATABASE_URL: url.href } }, [
    'runs',
  ])
  assert.notEqual(child.code, 0)
  assert.match(child.stderr, /RUN_DATABASE_UNREACHABLE/)
  assert.deepEqual(await leaksOf(night), [])
})

test('the search for secrets finds one in a row, in a file and in what a process said', async () => {
  const file = path.join(night.environment.dataFolder, 'outbox', 'planted.html')
  await writeFile(file, `<p>${night.variables.SMTP_PASSWORD}</p>`)
  await night.rows(`UPDATE tallyman.run SET job = job || $1`, [night.variables.SFTP_PASSWORD!])
  night.said.push(`connecting with ${new URL(night.variables.DATABASE_URL!).password}`)
  assert.deepEqual(await leaksOf(night), [
    'SFTP_PASSWORD in tallyman.run',
    'SMTP_PASSWORD in outbox/planted.html',
    'DATABASE_URL in what a process said',
  ])
  const [row, ...more] = await leaksIn(night.database)
  assert.match(row ?? '', /^tallyman\.run: .*canary-sftp/)
  assert.deepEqual(more, [])
  await rm(file)
  night.said.pop()
  await night.rows(`UPDATE tallyman.run SET job = replace(job, $1, '')`, [night.variables.SFTP_PASSWORD!])
})

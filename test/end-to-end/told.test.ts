/**
 * What people are told: after a crash the mail has every word that it would have had without, and no
 * personal value or secret is in it. Secrets in all other places: night.ts searches for them at the end.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openNight } from '../support/night.ts'
import { command } from '../support/night-child.ts'
import { hours, orders, someLines, statements } from '../support/night-deliveries.ts'

const night = await openNight()

const compact = (date: string): string => date.replaceAll('-', '')

/** The mails of a date, without what differs from run to run: dates, times, milliseconds, hashes, attempts. */
function mailsOf(job: string, date: string): { subject: string; text: string; attachments: string[] }[] {
  const plain = (text: string): string =>
    text
      .replaceAll(date, 'DATE')
      .replaceAll(compact(date), 'DATE')
      .replaceAll(/\d{4}-\d\d-\d\d \d\d:\d\d( UTC)?/g, 'INSTANT')
      .replaceAll(/\d[\d,.]* m?s\b/g, 'TIME')
      .replaceAll(/[0-9a-f]{16}/g, 'HASH')
      .replaceAll(/attempt \d+ \(\w+\)/g, 'ATTEMPT')
      .replaceAll(/\s+/g, ' ')
  return night.smtp.received
    .filter(({ mail }) => mail.subject?.includes(`${job} ${date}`))
    .map(({ mail }) => ({
      subject: plain(mail.subject!),
      // The steps are those of the attempt that wrote it, which had less to do.
      text: plain(mail.text!).replace(/ Steps -+ .*? Commands -/, ' Commands -'),
      attachments: mail.attachments
        .filter(({ contentType }) => contentType === 'text/csv')
        .map(({ content }) => plain(content.toString())),
    }))
}

const MOMENTS = ['load.after-commit', 'run.after-remote', 'report.before-commit', 'report.after-commit']

for (const [index, failpoint] of MOMENTS.entries()) {
  test(`a process killed at ${failpoint} changes no word of the mail about statements that do not tie`, async () => {
    const [calm, killed] = [`2026-01-0${index + 5}`, `2026-02-0${index + 5}`]
    for (const date of [calm, killed]) {
      await night.deliver(
        'bank',
        `camt053_${compact(date)}_a.xml`,
        statements(date, [
          { id: 'TIES', opening: 1, entries: [2], closing: 3 },
          { id: 'GAP', opening: 1, entries: [2, 4], closing: 8 },
        ]).replaceAll('<Id>TIES', `<Id>${date}-T`),
      )
    }
    await night.run('bank-statements', calm)
    const child = await command(
      night,
      ['run', 'bank-statements', '--date', killed, '--create-target'],
      `${failpoint}:1:kill`,
    )
    assert.equal(child.signal, 'SIGKILL', child.stderr)
    await night.run('bank-statements', killed)
    const [expected] = mailsOf('bank-statements', calm)
    assert.match(expected!.text, /statement GAP .* does not tie: the difference is EUR 1\.00/)
    assert.deepEqual(mailsOf('bank-statements', killed), [expected])
  })
}

test('a warning about a file is kept with its load, so that an attempt after a crash tells it too', async () => {
  const [calm, killed] = ['2026-01-12', '2026-02-12']
  const head = 'InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country,Colour'
  for (const date of [calm, killed]) {
    const lines = orders(date, someLines(3), head).split('\n')
    const wide = lines.map((line, index) => (index === 0 || line === '' ? line : `${line},red`))
    await night.deliver('portal', `orders_${compact(date)}.csv`, wide.join('\n'))
  }
  const first = await night.run('portal-orders', calm)
  await command(night, ['run', 'portal-orders', '--date', killed], 'load.after-commit:1:kill')
  const second = await night.run('portal-orders', killed)
  assert.equal(first.warnings.length, 1)
  assert.match(first.warnings[0]!, /Colour/)
  assert.deepEqual(
    second.warnings.map(text => text.replace(compact(killed), compact(calm))),
    first.warnings,
  )
  assert.deepEqual(mailsOf('portal-orders', killed), mailsOf('portal-orders', calm))
})

test('a name that a rejected record holds is in no mail, attachment or log', async () => {
  const date = '2026-01-15'
  const people = ['00000001', 'no number']
  await night.deliver(
    'payroll',
    `hours_${compact(date)}.csv`,
    hours(date, people, 2, 'Zwiebelfisch, Ottokar'),
  )
  const summary = await night.run('payroll-hours', date)
  assert.equal(summary.counts.rejected, 1)
  const [mail] = night.smtp.received.filter(one => one.mail.subject?.includes(date))
  const said = [
    mail!.mail.text,
    mail!.mail.html,
    ...mail!.mail.attachments.map(({ content }) => content.toString()),
    ...night.said,
  ]
  assert.ok(!said.join('\n').includes('Zwiebelfisch'))
})

/**
 * Mails that wait, and the comparisons and steps that they tell of.
 */
import assert from 'node:assert/strict'
import test from 'node:test'
import {
  breaksOf,
  insertComparison,
  latestComparison,
  nextComparisonNumber,
  storeComparison,
} from '../../../../lib/ledger/comparison.ts'
import { openLedger } from '../../../../lib/ledger/open.ts'
import {
  enqueueMail,
  leaseMails,
  type OutboxMail,
  rescheduleMail,
  settleRecipients,
} from '../../../../lib/ledger/outbox.ts'
import { standings } from '../../../../lib/ledger/run-list.ts'
import { latestSnapshots, recordSnapshot } from '../../../../lib/ledger/snapshot.ts'
import { setStep, stepsOf } from '../../../../lib/ledger/step.ts'
import type { Break, Comparison } from '../../../../lib/model/break.ts'
import { testDatabase } from '../../../support/postgres.ts'
import { take } from '../../../support/run-ledger.ts'

const { database } = await testDatabase()
await openLedger(database, { environment: 'test' })

function mail(messageId: string, over: Partial<OutboxMail> = {}): OutboxMail {
  return {
    runId: null,
    kind: 'report',
    messageId,
    from: 'tallyman@example.test',
    to: ['one@example.test', 'two@example.test'],
    subject: 'clean',
    headers: { 'List-Id': 'x' },
    text: 'text',
    html: '<p>html</p>',
    attachments: [{ name: 'breaks.csv', contentType: 'text/csv', content: Buffer.from([0, 255, 10]) }],
    held: false,
    ...over,
  }
}

async function mailState(messageId: string): Promise<string> {
  const { rows } = await database.use(c =>
    c.query<{ state: string }>('SELECT state FROM tallyman.outbox WHERE message_id = $1', [messageId]),
  )
  return rows[0]!.state
}

test('two senders never lease the same mail, and a mail with its Message-ID is put in once', async () => {
  for (const id of ['a', 'b', 'c', 'd']) {
    assert.equal(await database.use(c => enqueueMail(c, mail(id))), true)
  }
  assert.equal(await database.use(c => enqueueMail(c, mail('a', { subject: 'again' }))), false)
  const leases = await Promise.all(
    [1, 2, 3].map(() => database.use(c => leaseMails(c, { limit: 2, leaseMs: 60_000 }))),
  )
  const ids = leases.flat().map(leased => leased.messageId)
  assert.deepEqual(ids.toSorted(), ['a', 'b', 'c', 'd'])
  assert.deepEqual(leases.flat()[0]!.attachments[0]!.content, Buffer.from([0, 255, 10]))
})

test('a sender takes the next mail while another one is about to lease the first, and waits for nobody', async () => {
  for (const id of ['first', 'second']) await database.use(c => enqueueMail(c, mail(id)))
  const [one, other] = [await database.connect(), await database.connect({ lockTimeoutMs: 500 })]
  await one.transaction(async () => {
    const lease = { limit: 1, leaseMs: 60_000 }
    const taken = [...(await leaseMails(one, lease)), ...(await leaseMails(other, lease))]
    assert.deepEqual(
      taken.map(({ messageId }) => messageId),
      ['first', 'second'],
    )
  })
  await one.close()
  await other.close()
})

test('a mail of a sender that died is leased again when its lease is over', async () => {
  await database.use(c => enqueueMail(c, mail('died')))
  const [first] = await database.use(c => leaseMails(c, { limit: 9, leaseMs: -1 }))
  assert.equal(first!.messageId, 'died')
  const [second] = await database.use(c => leaseMails(c, { limit: 9, leaseMs: 60_000 }))
  assert.deepEqual([second!.messageId, second!.tries], ['died', 1])
})

test('recipients are settled one by one, and only those that wait are sent to again', async () => {
  await database.use(c => enqueueMail(c, mail('partly')))
  const [leased] = await database.use(c => leaseMails(c, { limit: 1, leaseMs: 60_000 }))
  await database.use(c =>
    settleRecipients(c, leased!.id, [{ address: 'one@example.test', state: 'delivered', answer: '250 ok' }]),
  )
  assert.equal(await mailState('partly'), 'waiting')
  await database.use(c => rescheduleMail(c, leased!.id, 0, '451 try later'))
  const [again] = await database.use(c => leaseMails(c, { limit: 1, leaseMs: 60_000 }))
  assert.deepEqual(again!.to, ['two@example.test'])
  await database.use(c =>
    settleRecipients(c, again!.id, [
      { address: 'two@example.test', state: 'refused', answer: '550 unknown' },
    ]),
  )
  assert.equal(await mailState('partly'), 'partly')
})

test('a mail that is rescheduled or held is not due', async () => {
  await database.use(c => enqueueMail(c, mail('later')))
  const [leased] = await database.use(c => leaseMails(c, { limit: 1, leaseMs: 60_000 }))
  await database.use(c => rescheduleMail(c, leased!.id, 3_600_000, 'server down'))
  await database.use(c => enqueueMail(c, mail('held', { held: true })))
  assert.deepEqual(await database.use(c => leaseMails(c, { limit: 9, leaseMs: 60_000 })), [])
})

const SIDE = {
  name: 'source',
  rows: 1,
  asOf: '2026-11-20T00:00:00Z',
  scope: 'all',
  digest: 'd',
  files: [],
} as const

function comparison(breaks: readonly Break[]): Comparison {
  return {
    reconciliation: 'orders',
    run: null,
    outcome: 'BREAKS',
    gates: [],
    left: SIDE,
    right: SIDE,
    rows: { left: {} as never, right: {} as never },
    counts: { value_mismatch: breaks.length },
    rulesUsed: [],
    proof: [],
    breaks,
    breaksTotal: breaks.length,
    breaksFile: null,
  }
}

test('a comparison keeps its number until it is stored, and is stored once with its breaks', async () => {
  const key = { job: 'compared', businessDate: '2026-11-20' }
  const lease = await take(database, key)
  const found: Break = {
    identity: 'abc',
    kind: 'value_mismatch',
    key: { id: '1' },
    columns: [{ name: 'amount', left: '1.5', right: null, nature: 'null_vs_value', delta: null }],
    leftRows: 1,
    rightRows: 1,
    origin: { file: 'a.csv', line: 2 },
    hint: '',
  }
  const make = async (): Promise<{ number: number; kind: string }> =>
    database.use(async c => {
      const number = await nextComparisonNumber(c, lease.runId)
      const gate = await c.transaction(async () => {
        const inserted = await insertComparison(c, lease, { number, revisionId: null })
        if (inserted.kind === 'new') await storeComparison(c, inserted.id, comparison([found]), null)
        return inserted
      })
      return { number, kind: gate.kind }
    })
  assert.deepEqual(await make(), { number: 1, kind: 'new' })
  assert.equal(
    (
      await database.use(c =>
        c.transaction(() => insertComparison(c, lease, { number: 1, revisionId: null })),
      )
    ).kind,
    'done',
  )
  assert.deepEqual(await make(), { number: 2, kind: 'new' })
  const latest = await database.use(c => latestComparison(c, lease.runId))
  assert.deepEqual([latest.number, latest.results[0]!.outcome], [2, 'BREAKS'])
  assert.deepEqual(await database.use(c => breaksOf(c, lease.runId, 'orders', 2)), [found])
  await lease.release({ attempt: 'succeeded', run: 'succeeded' })
})

test('the latest snapshot of each side is found again', async () => {
  const lease = await take(database, { job: 'pictured', businessDate: '2026-11-20' })
  const draft = {
    runId: lease.runId,
    revisionId: null,
    comparisonId: null,
    reconciliation: 'orders',
    side: 'source' as const,
    rows: 3,
    asOf: '2026-11-20T01:02:03.000004Z',
    scope: 'all',
    path: 'snapshots/x',
    manifest: { columns: 2 },
  }
  await database.use(c => recordSnapshot(c, { ...draft, digest: 'old' }))
  const id = await database.use(c => recordSnapshot(c, { ...draft, digest: 'new' }))
  assert.deepEqual(await database.use(c => latestSnapshots(c, lease.runId)), [
    { ...draft, digest: 'new', id },
  ])
  await lease.release({ attempt: 'succeeded', run: 'succeeded' })
})

test('steps and standings tell where a run is', async () => {
  const key = { job: 'stepping', businessDate: '2026-11-20' }
  const lease = await take(database, key)
  await database.use(c => setStep(c, lease, 'parse', 'running'))
  await database.use(c => setStep(c, lease, 'fetch', 'done', 12.4, { files: 1 }))
  assert.deepEqual(await database.use(c => stepsOf(c, lease.attemptId)), [
    { step: 'fetch', state: 'done', ms: 12 },
    { step: 'parse', state: 'running', ms: 0 },
  ])
  const during = await database.use(c => standings(c, [key.job], '2026-11-01'))
  assert.deepEqual([during[0]!.held, during[0]!.state, during[0]!.lastAttempt], [true, 'running', 'running'])
  await lease.release({ attempt: 'failed', run: 'failed', error: new Error('x') })
  const [after] = await database.use(c => standings(c, [key.job], '2026-11-01'))
  assert.deepEqual([after!.held, after!.state, after!.attempts], [false, 'failed', 1])
  assert.equal(typeof after!.lastEndedAtMs, 'number')
  assert.deepEqual(await database.use(c => standings(c, [key.job], '2026-11-21')), [])
})

/**
 * A canary secret goes through everything that can print and must not come out.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inspect } from 'node:util'
import { createLog } from '../../../../lib/log/log.ts'
import { REDACTED, Redactor } from '../../../../lib/log/redactor.ts'
import { FetchError } from '../../../../lib/model/errors.ts'
import { Secret } from '../../../../lib/model/secret.ts'
import { systemClock } from '../../../../lib/model/time/clock.ts'

const CANARY = 'cänary "p/ss+word" 7!'

function knowing(...values: string[]): Redactor {
  const redactor = new Redactor()
  for (const value of values) redactor.register(new Secret(value))
  return redactor
}

function logged(redactor: Redactor): { log: ReturnType<typeof createLog>; lines: string[] } {
  const lines: string[] = []
  const clock = { ...systemClock, now: () => Date.UTC(2026, 10, 20, 4, 30) }
  return { log: createLog({ redactor, clock, write: line => lines.push(line) }), lines }
}

test('a log line is one JSON object with level, time, event and facts', () => {
  const { log, lines } = logged(knowing())
  log.with({ job: 'fx-rates' }).info('fetch.downloaded', { bytes: 12 })
  log.error('load.failed')
  assert.deepEqual(
    lines.map(line => JSON.parse(line)),
    [
      {
        level: 'info',
        time: '2026-11-20T04:30:00.000Z',
        job: 'fx-rates',
        bytes: 12,
        event: 'fetch.downloaded',
      },
      { level: 'error', time: '2026-11-20T04:30:00.000Z', event: 'load.failed' },
    ],
  )
})

test('a known secret never reaches the log, in event, fact, fact name or inherited fact', () => {
  const { log, lines } = logged(knowing(CANARY, '12345678'))
  log.with({ seen: `x${CANARY}y` }).warn(`a.${CANARY}`, { message: CANARY, [CANARY]: 1, n: 12345678 })
  assert.equal(lines.length, 1)
  const line = JSON.parse(lines[0]!) as Record<string, unknown>
  assert.doesNotMatch(JSON.stringify(line), /nary|12345678/)
  assert.equal(line.seen, `x${REDACTED}y`)
  assert.equal(line.n, REDACTED)
})

test('a fact named like a secret is not written even when its value is unknown', () => {
  const { log, lines } = logged(knowing())
  const names = [
    'password',
    'dbPassword',
    'Authorization',
    'api_key',
    'access-token',
    'passphrase',
    'clientSecret',
    'set-cookie',
  ]
  for (const name of names) log.info('x.y', { [name]: 'unseen-value' })
  assert.equal(lines.length, names.length)
  assert.ok(lines.every(line => !line.includes('unseen-value') && line.includes(REDACTED)))
})

test('a secret is redacted in each encoding in which it may be quoted', () => {
  const redactor = knowing(CANARY)
  const encodings: Record<string, string> = {
    plain: CANARY,
    json: JSON.stringify({ a: CANARY }),
    doubleJson: JSON.stringify(CANARY),
    url: `https://x/?q=${encodeURIComponent(CANARY)}&z=1`,
    form: new URLSearchParams({ q: CANARY }).toString().replaceAll('%21', '!'),
    hex: Buffer.from(CANARY).toString('hex'),
    base64: Buffer.from(CANARY).toString('base64'),
    base64url: Buffer.from(CANARY).toString('base64url'),
  }
  for (const [name, text] of Object.entries(encodings)) {
    assert.ok(redactor.redact(text).includes(REDACTED), `${name} kept the secret: ${redactor.redact(text)}`)
  }
})

test('a secret inside a basic authorization header is found at every offset', () => {
  const redactor = knowing(CANARY)
  for (const user of ['', 'a', 'ab', 'abc', 'abcd']) {
    for (const after of ['', '!', '!!']) {
      const header = Buffer.from(`${user}:${CANARY}${after}`).toString('base64')
      const redacted = redactor.redact(`Basic ${header}`)
      assert.ok(redacted.includes(REDACTED), redacted)
      assert.ok(redacted.length < 30, `too much of it is left: ${redacted}`)
    }
  }
})

test('the password inside a connection URL and each line of a key are secrets of their own', () => {
  const keyLine = 'MIGTAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBHkwdwIBAQ'
  const redactor = knowing(
    'postgres://tallyman:h%40rd-one@db.example:5432/erp',
    `-----BEGIN PRIVATE KEY-----\n${keyLine}\n-----END PRIVATE KEY-----\n`,
  )
  assert.equal(redactor.redact('login with h@rd-one failed'), `login with ${REDACTED} failed`)
  assert.equal(redactor.redact('login with h%40rd-one failed'), `login with ${REDACTED} failed`)
  assert.equal(redactor.redact(`bad base64: ${keyLine}`), `bad base64: ${REDACTED}`)
  assert.equal(redactor.redact('-----BEGIN PRIVATE KEY-----'), '-----BEGIN PRIVATE KEY-----')
})

test('text without a secret is left as it is, and an overlapping longer secret wins', () => {
  const redactor = knowing('abcd', 'abcdefgh')
  assert.equal(redactor.redact('abcdefgh abcd abc'), `${REDACTED} ${REDACTED} abc`)
  assert.equal(knowing().redact('anything'), 'anything')
})

test('a secret object prints nothing through inspect, JSON, templates or an error that carries it', () => {
  const secret = new Secret(CANARY)
  const error = new FetchError('FETCH_TEST', `login with ${secret.toString()} failed.`, { cause: { secret } })
  const printed = [
    inspect(secret, { showHidden: true, depth: 9 }),
    JSON.stringify({ secret }),
    String(secret),
    inspect(error),
    String(error),
  ]
  for (const text of printed) assert.doesNotMatch(text, /nary/)
})

/**
 * Secrets are read from variable, file and command; what can't be read is said without its value.
 */
import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { inspect } from 'node:util'
import { secretResolver } from '../../../../lib/config/secrets.ts'
import { REDACTED, Redactor } from '../../../../lib/log/redactor.ts'
import type { ConfigError } from '../../../../lib/model/errors.ts'

let folder: string
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'secrets-'))
})
after(() => rm(folder, { recursive: true }))

function resolver(production = false, env: Record<string, string> = {}) {
  const redactor = new Redactor()
  return { redactor, resolve: secretResolver({ env, production, redactor }) }
}

test('a secret comes from a variable, a file and a command, without the line end they add', async () => {
  const { resolve, redactor } = resolver(true, { ERP_TOKEN: 'from-env' })
  const file = join(folder, 'token')
  await writeFile(file, 'from-file\n')
  assert.equal((await resolve({ env: 'ERP_TOKEN' })).reveal(), 'from-env')
  assert.equal((await resolve({ file })).reveal(), 'from-file')
  assert.equal(
    (await resolve({ command: [process.execPath, '-p', '"from-"+"command"'] })).reveal(),
    'from-command',
  )
  assert.equal(redactor.redact('from-env from-file from-command'), `${REDACTED} ${REDACTED} ${REDACTED}`)
})

test('a rotated secret is read anew and its old value stays redacted', async () => {
  const { resolve, redactor } = resolver()
  const file = join(folder, 'rotating')
  await writeFile(file, 'old-value')
  await resolve({ file })
  await writeFile(file, 'new-value')
  assert.equal((await resolve({ file })).reveal(), 'new-value')
  assert.equal(redactor.redact('old-value new-value'), `${REDACTED} ${REDACTED}`)
})

test('a missing secret names where it was looked for and what is wrong', async () => {
  const { resolve } = resolver()
  const missing = (source: Parameters<typeof resolve>[0], text: RegExp) =>
    assert.rejects(resolve(source), (error: ConfigError) => {
      assert.equal(error.code, 'CONFIG_SECRET_MISSING')
      assert.match(error.message, text)
      return true
    })
  await missing({ env: 'NOT_SET' }, /environment variable NOT_SET can't be read: it is not set/)
  await missing({ file: join(folder, 'absent') }, /file .*absent can't be read: it does not exist/)
  await missing({ command: [join(folder, 'no-program')] }, /there is no such program/)
  await missing({ command: [process.execPath, '-e', 'process.exit(3)'] }, /exit code 3/)
})

test('a failing command does not put what it printed into the error', async () => {
  const { resolve } = resolver()
  const script = 'console.log("half-a-secret"); console.error("half-a-secret"); process.exit(1)'
  await assert.rejects(resolve({ command: [process.execPath, '-e', script] }), error => {
    assert.doesNotMatch(inspect(error, { depth: 9 }), /half-a-secret/)
    return true
  })
})

test('a secret too short to be redacted is refused', async () => {
  await assert.rejects(resolver().resolve({ literal: 'abc' }), { code: 'CONFIG_SECRET_TOO_SHORT' })
})

test('a literal secret is allowed on a developer machine and refused in production', async () => {
  assert.equal((await resolver().resolve({ literal: 'demo-password' })).reveal(), 'demo-password')
  await assert.rejects(resolver(true).resolve({ literal: 'demo-password' }), error => {
    assert.equal((error as ConfigError).code, 'CONFIG_SECRET_LITERAL')
    assert.doesNotMatch(inspect(error), /demo-password/)
    return true
  })
})

/**
 * Markers and sidecars: their names, and the forms in which checksums are written.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { companionOf, isCompanion, parseSidecar } from '../../../../lib/fetch/companion.ts'
import { marker, settled } from '../../../../lib/fetch/sources.ts'

const SHA = '0123456789abcdef'.repeat(4)
const MD5 = '0123456789abcdef'.repeat(2)

test('a name with dollar signs names its marker literally', () => {
  assert.equal(companionOf(marker('{name}.done'), "a$&$1$'.csv"), "a$&$1$'.csv.done")
  assert.equal(companionOf(settled(), 'a.csv'), null)
})

test('markers are known by their form, one flag for all by its name', () => {
  assert.equal(isCompanion(marker('{name}.done'), 'a.csv.done'), true)
  assert.equal(isCompanion(marker('{name}.done'), '.done'), false)
  assert.equal(isCompanion(marker('done_{name}'), 'done_a.csv'), true)
  assert.equal(isCompanion(marker('READY'), 'READY'), true)
  assert.equal(isCompanion(marker('READY'), 'READY2'), false)
  assert.equal(isCompanion(settled(), 'a.csv.done'), false)
})

test('checksums are read as sha256sum and md5sum write them, bare, upper-case or among others', () => {
  const sha = { algorithm: 'sha256', hex: SHA }
  for (const text of [
    SHA,
    `${SHA}\n`,
    `${SHA.toUpperCase()}  a.csv\r\n`,
    `\uFEFF${SHA} *a.csv`,
    `# made by x\n${SHA}\n`,
  ]) {
    assert.deepEqual(parseSidecar(text, 's', 'a.csv'), sha, text)
  }
  assert.deepEqual(parseSidecar(`${MD5}  a.csv`, 's', 'a.csv'), { algorithm: 'md5', hex: MD5 })
  assert.deepEqual(parseSidecar(`${SHA.replace('0', '1')}  b.csv\n${SHA}  a.csv\n`, 's', 'a.csv'), sha)
})

test('a sidecar without the checksum of the file is no checksum', () => {
  for (const text of ['', 'abc', `${SHA}0`, `${SHA}  b.csv\n${SHA}  c.csv`]) {
    assert.equal(typeof parseSidecar(text, 's', 'a.csv'), 'string', text)
  }
})

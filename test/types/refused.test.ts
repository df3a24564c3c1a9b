/**
 * What the compiler must refuse: each line of refused/*.ts that ends with `// refused: <text>` must
 * have an error with that text, and no other line may have one.
 */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'

const folder = join(import.meta.dirname, 'refused')
const root = join(import.meta.dirname, '..', '..')

interface Complaint {
  readonly file: string
  readonly line: number
  readonly text: string
}

async function complaints(): Promise<readonly Complaint[]> {
  const compiler = join(root, 'node_modules', '.bin', 'tsc')
  const options = ['--noEmit', '--pretty', 'false', '-p', join(folder, 'tsconfig.json')]
  const output = await promisify(execFile)(compiler, options, { cwd: root }).then(
    ({ stdout }) => stdout,
    (error: { stdout?: string }) => error.stdout ?? '',
  )
  const found: { file: string; line: number; text: string }[] = []
  for (const row of output.split('\n')) {
    const match = /^(\S+)\((\d+),\d+\): error (.*)$/.exec(row)
    if (match !== null)
      found.push({ file: match[1]!.split('/').at(-1)!, line: Number(match[2]), text: match[3]! })
    // Further lines of one complaint are indented and say the details.
    else if (row.startsWith(' ') && found.length > 0) found.at(-1)!.text += row
  }
  return found
}

test('the compiler refuses wrong columns, types, fields, docs and loads, each at its own line', async () => {
  const found = await complaints()
  const expected: Complaint[] = readdirSync(folder)
    .filter(name => name.endsWith('.ts'))
    .flatMap(file =>
      readFileSync(join(folder, file), 'utf8')
        .split('\n')
        .flatMap((text, index) => {
          const match = /\/\/ refused: (.*)$/.exec(text)
          return match === null ? [] : [{ file, line: index + 1, text: match[1]! }]
        }),
    )
  assert.ok(expected.length >= 12, 'the refused snippets were not found')
  for (const { file, line, text } of expected) {
    const complaint = found.find(one => one.file === file && one.line === line)
    assert.ok(complaint !== undefined, `${file}:${line} was accepted`)
    assert.ok(complaint.text.includes(text), `${file}:${line} says ${complaint.text}`)
  }
  const surplus = found.filter(
    one => !expected.some(({ file, line }) => one.file === file && one.line === line),
  )
  assert.deepEqual(surplus, [])
})

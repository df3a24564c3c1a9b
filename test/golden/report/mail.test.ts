/**
 * The mails of night-samples.ts, byte for byte as they are kept in fixtures/mails. After a wanted change:
 * `TALLYMAN_WRITE_GOLDEN=1 node --test test/golden/report/mail.test.ts`, then read the difference.
 */
import assert from 'node:assert/strict'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { composeMail } from '../../../lib/report/compose/compose-mail.ts'
import type { NightReportInput } from '../../../lib/report/night-report.ts'
import { hundredThousandInput, writeManyBreaks } from '../../support/night-sample-many.ts'
import { nightSample, SAMPLE_NAMES } from '../../support/night-samples.ts'

const plain = { redact: (text: string) => text }

const work = await mkdtemp(join(tmpdir(), 'tallyman-mails-'))
after(() => rm(work, { recursive: true }))

/** A sample; the one with more breaks than memory holds has all of them in a file, as a comparison leaves it. */
async function inputOf(name: string): Promise<NightReportInput> {
  if (name !== 'breaks-100000') return nightSample(name)
  const path = join(work, 'breaks.csv')
  await writeManyBreaks(path)
  return hundredThousandInput(path)
}

for (const name of SAMPLE_NAMES) {
  test(`the mail of the sample ${name} is the one that was looked at`, async () => {
    const { mail } = await composeMail(await inputOf(name), {
      redaction: plain,
      runId: null,
      from: 'Tallyman <tallyman@example.com>',
      to: ['treasury@example.com'],
    })
    const heads = [
      `Subject: ${mail.subject}`,
      `Message-ID: <${mail.messageId}>`,
      ...Object.entries(mail.headers).map(([header, value]) => `${header}: ${value}`),
      `Attachments: ${mail.attachments.map(file => file.name).join(', ')}`,
    ]
    await isKept(name, 'mail.html', mail.html)
    await isKept(name, 'mail.txt', `${heads.join('\n')}\n\n${mail.text}`)
    for (const file of mail.attachments) {
      if (file.name.endsWith('.gz')) await isKept(name, `${file.name}.begin`, beginOf(file.content))
      else await isKept(name, file.name, file.content.toString().replaceAll(work, 'work'))
    }
  })
}

/** A compressed attachment is kept by its first lines and how many there are. */
function beginOf(compressed: Buffer): string {
  const lines = gunzipSync(compressed).toString().split('\n')
  return `${lines.slice(0, 4).join('\n')}\n... ${lines.length - 1} lines\n`
}

async function isKept(name: string, file: string, content: string): Promise<void> {
  const folder = join(import.meta.dirname, '..', '..', '..', 'fixtures', 'mails', name)
  const path = join(folder, file)
  if (process.env.TALLYMAN_WRITE_GOLDEN === '1') {
    await mkdir(folder, { recursive: true })
    await writeFile(path, content)
  }
  assert.equal(content, await readFile(path, 'utf8'), `${name}/${file} is no longer what it was`)
}

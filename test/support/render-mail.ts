/**
 * Pictures of mails: `node test/support/render-mail.ts <folder> [sample...]` writes each sample as
 * .html, .txt and PNG, light and dark, wide and narrow; `... docs/pictures docs` writes those that
 * the docs show. Needs a Chromium (TALLYMAN_CHROMIUM, default /usr/bin/chromium).
 */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Browser, chromium } from 'playwright-core'
import { nightReport } from '../../lib/report/assemble.ts'
import { fittingHtml } from '../../lib/report/html/page.ts'
import { documentText } from '../../lib/report/text/page.ts'
import { nightSample, SAMPLE_NAMES } from './night-samples.ts'

interface Picture {
  readonly file: string
  readonly sample: string
  readonly scheme: 'light' | 'dark'
  readonly width: number
  /** Null: the whole mail. */
  readonly height: number | null
}

const WIDE = 760
const NARROW = 380

/** What the docs show: the upper part of long mails (a whole one is three screens high), the rest whole. */
const DOCS: readonly Picture[] = [
  ...pictures('breaks', 1240, ['light', 'dark', 'narrow']),
  ...pictures('one-break', 1000, ['light']),
  ...pictures('many-breaks', 1400, ['light']),
  ...pictures('breaks-100000', 1400, ['light']),
  ...pictures('clean', null, ['light', 'dark']),
  ...pictures('inconclusive', 900, ['light', 'dark', 'narrow']),
  ...pictures('revised', 1000, ['light']),
  ...pictures('thirty-nights', null, ['light', 'dark', 'narrow']),
  ...pictures('failed', null, ['light', 'dark']),
]

function pictures(
  sample: string,
  height: number | null,
  looks: readonly ('light' | 'dark' | 'narrow')[],
): Picture[] {
  return looks.map(look => ({
    ...{ file: `mail-${sample}-${look}.png`, sample, height },
    scheme: look === 'dark' ? 'dark' : 'light',
    width: look === 'narrow' ? NARROW : WIDE,
  }))
}

const LOOKS = [
  { suffix: 'light', scheme: 'light', width: 760 },
  { suffix: 'dark', scheme: 'dark', width: 760 },
  { suffix: 'light-narrow', scheme: 'light', width: 380 },
  { suffix: 'dark-narrow', scheme: 'dark', width: 380 },
] as const

function mailOf(sample: string): { html: string; text: string } {
  const { document, html } = fittingHtml(nightReport(nightSample(sample), { redact: text => text }))
  return { html, text: documentText(document) }
}

async function take(browser: Browser, folder: string, picture: Picture): Promise<void> {
  const { width, height } = picture
  const page = await browser.newPage({
    viewport: { width, height: height ?? 600 },
    colorScheme: picture.scheme,
  })
  await page.setContent(mailOf(picture.sample).html)
  await page.screenshot({ path: join(folder, picture.file), fullPage: height === null })
  await page.close()
}

const [folder, ...wanted] = process.argv.slice(2)
if (folder === undefined) {
  process.stderr.write('Usage: node test/support/render-mail.ts <folder> [docs | sample...]\n')
  process.exit(2)
}
await mkdir(folder, { recursive: true })
const browser = await chromium.launch({
  executablePath: process.env.TALLYMAN_CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox'],
})
if (wanted[0] === 'docs') {
  for (const picture of DOCS) await take(browser, folder, picture)
} else {
  for (const sample of wanted.length === 0 ? SAMPLE_NAMES : wanted) {
    const { html, text } = mailOf(sample)
    await writeFile(join(folder, `${sample}.html`), html)
    await writeFile(join(folder, `${sample}.txt`), text)
    for (const { suffix, scheme, width } of LOOKS) {
      await take(browser, folder, { file: `${sample}-${suffix}.png`, sample, scheme, width, height: null })
    }
  }
}
await browser.close()

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

/** The docs show the upper part of long mails: a whole one is three screens high. */
const DOCS: readonly Picture[] = [
  { file: 'mail-breaks-light.png', sample: 'breaks', scheme: 'light', width: 760, height: 1240 },
  { file: 'mail-breaks-dark.png', sample: 'breaks', scheme: 'dark', width: 760, height: 1240 },
  { file: 'mail-breaks-narrow.png', sample: 'breaks', scheme: 'light', width: 380, height: 1000 },
  { file: 'mail-failed-light.png', sample: 'failed', scheme: 'light', width: 760, height: null },
  { file: 'mail-clean-light.png', sample: 'clean', scheme: 'light', width: 760, height: null },
]

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

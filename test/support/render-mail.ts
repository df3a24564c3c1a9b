/**
 * Pictures of mails: `node test/support/render-mail.ts <folder> [sample...]` writes each sample as
 * .html, .txt and PNG, light and dark, wide and narrow. Needs a Chromium (TALLYMAN_CHROMIUM, default
 * /usr/bin/chromium). docs/pictures/ is made with it.
 */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { chromium } from 'playwright-core'
import { nightReport } from '../../lib/report/assemble.ts'
import { fittingHtml } from '../../lib/report/html/page.ts'
import { documentText } from '../../lib/report/text/page.ts'
import { nightSample, SAMPLE_NAMES } from './night-samples.ts'

const WIDTHS = { wide: 760, narrow: 380 } as const

const [folder, ...wanted] = process.argv.slice(2)
if (folder === undefined) {
  process.stderr.write('Usage: node test/support/render-mail.ts <folder> [sample...]\n')
  process.exit(2)
}
await mkdir(folder, { recursive: true })
const browser = await chromium.launch({
  executablePath: process.env.TALLYMAN_CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox'],
})
for (const name of wanted.length === 0 ? SAMPLE_NAMES : wanted) {
  const report = nightReport(nightSample(name), { redact: text => text })
  const { document, html } = fittingHtml(report)
  await writeFile(join(folder, `${name}.html`), html)
  await writeFile(join(folder, `${name}.txt`), documentText(document))
  for (const scheme of ['light', 'dark'] as const) {
    for (const [size, width] of Object.entries(WIDTHS)) {
      const page = await browser.newPage({ viewport: { width, height: 600 }, colorScheme: scheme })
      await page.setContent(html)
      const suffix = size === 'wide' ? scheme : `${scheme}-${size}`
      await page.screenshot({ path: join(folder, `${name}-${suffix}.png`), fullPage: true })
      await page.close()
    }
  }
}
await browser.close()

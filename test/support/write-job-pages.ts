/** Writes docs/integrations/<job>.md for every job: `node test/support/write-job-pages.ts`. */
import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { jobPage } from '../../bin/docs/job-page.ts'
import type { JobDefinition } from '../../lib/model/job.ts'

const ROOT = join(import.meta.dirname, '..', '..')

/** All jobs with the paths of their pages, from the project's root. */
export async function jobPages(): Promise<readonly { readonly path: string; readonly text: string }[]> {
  const names = (await readdir(join(ROOT, 'jobs'))).filter(name => name.endsWith('.ts')).sort()
  const pages: { path: string; text: string }[] = []
  for (const name of names) {
    const { default: job } = (await import(join(ROOT, 'jobs', name))) as { default: JobDefinition }
    pages.push({ path: `docs/integrations/${name.replace(/\.ts$/, '.md')}`, text: jobPage(job) })
  }
  return pages
}

if (process.argv[1] === import.meta.filename) {
  await mkdir(join(ROOT, 'docs', 'integrations'), { recursive: true })
  for (const { path, text } of await jobPages()) await writeFile(join(ROOT, path), text)
}

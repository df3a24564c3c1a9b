/**
 * The builder behind `report: mail({ to })` of a job. What is said in the mail is decided in
 * assemble.ts, how it looks in document/, html/ and text/, how it travels in deliver/.
 */
import type { ReportSpec } from '../model/job.ts'

/** Reports a job's nights by mail to a recipients list of the environment. */
export function mail(options: { readonly to: string }): ReportSpec {
  return { to: options.to }
}

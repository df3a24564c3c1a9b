/**
 * Guards of reconcile and report, and of secrets: nothing is called equal that was not proved, no data
 * becomes markup, header or formula, no secret is written down, no mail leaves where none may.
 */
import type { Guard } from './guard.ts'

const SMTP = 'test/integration/lib/report/smtp.test.ts'
const FOLDER = 'test/integration/lib/report/outbox-folder.test.ts'
const COMPOSE = 'test/unit/lib/report/compose.test.ts'
const LOG = 'test/unit/lib/log/log.test.ts'
const SECRETS = 'test/unit/lib/config/secrets.test.ts'
const TRAPS = 'test/integration/reconcile/compare/traps.test.ts'

/** Guards of reconcile, report, log and secrets. */
export const REPORT_GUARDS: readonly Guard[] = [
  {
    against: 'a side without rows proves that nothing differs',
    file: 'reconcile/compare/gates.ts',
    guard: 'if (side.manifest.rows === 0 && !options.allowEmpty) {',
    gone: 'if (side.manifest.rows < 0) {',
    test: TRAPS,
    title: 'a side without rows proves nothing',
  },
  {
    against: 'a side that does not meet its stated total is compared',
    file: 'reconcile/compare/gates.ts',
    guard: 'if (a !== null && b !== null && compareDecimals(a, b) === 0) return',
    gone: 'if (a !== null) return',
    test: TRAPS,
    title: 'a side that does not meet its stated count',
  },
  {
    against: 'a sum is added in fewer digits than it has',
    file: 'reconcile/snapshot/totals.ts',
    guard: 'needed <= SAFE_DIGITS ?',
    gone: 'needed > 0 ?',
    test: TRAPS,
    title: 'sums beyond 38 digits',
  },
  {
    against: 'a value that is none of its type is compared as text',
    file: 'reconcile/compare/normalise.ts',
    guard: "case 'decimal':",
    gone: "case 'decimal':\n      return null",
    test: TRAPS,
    title: 'values that are not what their column is',
  },
  {
    against: 'rows of a snapshot get their name before they are on the disk',
    file: 'reconcile/snapshot/store.ts',
    guard: 'await syncPath(from)',
    gone: '',
    test: 'test/integration/reconcile/snapshot/writer.test.ts',
    title: 'rows and manifest of a snapshot are synced before they get their names',
  },
  {
    against: 'a cell of the breaks file runs as a formula',
    file: 'reconcile/compare/breaks-file.ts',
    guard: 'FORMULA.test(cell) && !NUMBER.test(cell)',
    gone: 'cell === null',
    test: TRAPS,
    title: 'a cell that a spreadsheet would run',
  },
  {
    against: 'a cell of an attachment runs as a formula',
    file: 'lib/format/csv-write.ts',
    guard: 'return FORMULA.test(text) ?',
    gone: 'return text === null ?',
    test: COMPOSE,
    title: 'spreadsheets get formulas as text',
  },
  {
    against: 'data becomes markup of a mail',
    file: 'lib/report/html/template.ts',
    guard: 'template(strings, ...parts)',
    gone: "template(strings, ...parts.map(part => (typeof part === 'string' ? raw(part) : part)))",
    test: 'test/unit/lib/report/rendering.test.ts',
    title: 'hostile data becomes text',
  },
  {
    against: 'a subject brings a header of its own',
    file: 'lib/report/deliver/eml.ts',
    guard: 'subject: visible(mail.subject)',
    gone: 'subject: mail.subject',
    test: FOLDER,
    title: 'headers of a mail lose line breaks',
  },
  {
    against: 'a header brings another one',
    file: 'lib/report/deliver/eml.ts',
    guard: '({ key, value: visible(value) })',
    gone: '({ key, value })',
    test: FOLDER,
    title: 'headers of a mail lose line breaks',
  },
  {
    against: 'recipients that were refused count as delivered',
    file: 'lib/report/deliver/smtp.ts',
    guard: 'delivered: info!.accepted, ...byRecipient(info!.rejectedErrors ?? [])',
    gone: 'delivered: [...mail.to], ...byRecipient([])',
    test: SMTP,
    title: 'E2: a refused recipient',
  },
  {
    against: 'a mail that was taken without an answer is taken for unsent',
    file: 'lib/report/deliver/smtp.ts',
    guard: 'if (contentStarted) {',
    gone: 'if (false) {',
    test: SMTP,
    title: 'a mail that the server takes and does not confirm',
  },
  {
    against: 'password and mail go over a line without TLS',
    file: 'lib/report/deliver/smtp.ts',
    guard: "requireTLS: server.tls === 'starttls'",
    gone: 'requireTLS: false',
    test: SMTP,
    title: 'a server that offers no TLS',
  },
  {
    against: 'a mail leaves from outside production',
    file: 'lib/report/deliver/outbox.ts',
    guard: 'const sends = environment.production || environment.releaseMail',
    gone: 'const sends = true',
    test: FOLDER,
    title: 'outside production a mail becomes files',
  },
  {
    against: 'personal values stand in a mail',
    file: 'lib/report/mask.ts',
    guard: 'shownRaw: raw => (anyPersonal ? MASKED : raw)',
    gone: 'shownRaw: raw => raw',
    test: 'test/unit/lib/report/assemble.test.ts',
    title: 'personal values are masked',
  },
  {
    against: 'a secret stands in the log',
    file: 'lib/log/redactor.ts',
    guard: 'return this.#pattern === null ? text : text.replace(this.#pattern, REDACTED)',
    gone: 'return text',
    test: LOG,
    title: 'a known secret never reaches the log',
  },
  {
    against: 'a secret in another encoding stands in the log',
    file: 'lib/log/redactor.ts',
    guard: '...base64Forms(bytes),',
    gone: '',
    test: LOG,
    title: 'a secret inside a basic authorization header',
  },
  {
    against: 'a secret is used before the redactor knows it',
    file: 'lib/config/secrets.ts',
    guard: 'options.redactor.register(secret)',
    gone: '',
    test: SECRETS,
    title: 'a rotated secret is read anew',
  },
  {
    against: 'a secret stands in a production environment file',
    file: 'lib/config/secrets.ts',
    guard: 'if (options.production) {',
    gone: 'if (false) {',
    test: SECRETS,
    title: 'a literal secret is allowed on a developer machine',
  },
  {
    against: 'an API that repeats our token spreads it',
    file: 'lib/load/api-request.ts',
    guard: 'readAnswer(withoutToken(answer, token), call.items)',
    gone: 'readAnswer(answer, call.items)',
    test: 'test/end-to-end/secrets.test.ts',
    title: 'a token that an API repeats in its refusals',
  },
]

/**
 * The commands, their options and their help (docs/commands.md). Each command's own file is imported when it is
 * called, so that `--help` stays fast. How a command line is run is program.ts.
 */
import { type Command, Option } from 'commander'
import type { Session } from './session.ts'

/** A command's body: options as commander read them, arguments in order; gives the exit code. */
export type Action = (
  session: Session,
  options: Record<string, unknown>,
  ...args: string[]
) => Promise<number>

type Loader = () => Promise<Action>

/** Adds a command: usage, description, and where its body is. */
export type Add = (usage: string, description: string, load: Loader) => Command

/** Adds all commands, by groups of the help. */
export function addCommands(program: Command, add: Add): void {
  program.commandsGroup('Runs')
  runCommands(add)
  program.commandsGroup('Looking')
  lookCommands(add)
  program.commandsGroup('Files without a job')
  fileCommands(add)
}

const date = (
  text = 'business date: 2026-11-20, today, yesterday, -3d or -1bd (default: the latest that was due)',
): Option => new Option('--date <date>', text)

function collect(value: string, before: string[] | undefined): string[] {
  return [...(before ?? []), value]
}

function runCommands(add: Add): void {
  add('run [jobs...]', 'run jobs for a business date', async () => (await import('./commands/run.ts')).run)
    .addOption(date())
    .option('--select <terms>', 'jobs by tag:, owner: or status:, comma separated')
    .option('--dry-run', 'all counts, nothing written')
    .option('--create-target', 'create missing target tables first')
    .option('--fail-on <what>', 'rejects: exit 3 when records were rejected')
  add(
    'rerun <job>',
    'a new attempt of a date, both sides taken afresh',
    async () => (await import('./commands/run.ts')).rerun,
  )
    .addOption(date('business date to run again'))
    .addOption(
      new Option('--from <step>', 'where to start').choices([
        'fetch',
        'parse',
        'load',
        'reconcile',
        'failed',
      ]),
    )
    .option('--from-archive', 'use the archived files, do not list the remote folder')
    .option('--force', 'a new revision even when the files are the same')
    .option('--dry-run', 'all counts, nothing written')
    .option('--fail-on <what>', 'rejects: exit 3 when records were rejected')
  add(
    'reconcile <job>',
    'compare again what is stored for a date',
    async () => (await import('./commands/reconcile.ts')).reconcile,
  ).addOption(date('business date to compare'))
  add(
    'schedule',
    'the long-running scheduler',
    async () => (await import('./commands/schedule.ts')).schedule,
  ).option('--once', 'take what is owed now, then end')
  add('demo', 'two whole nights on embedded parts', async () => (await import('./commands/demo.ts')).demo)
    .option('--data <dir>', 'a folder of real deliveries instead of the fixtures')
    .option('--keep', "keep the last demo's data instead of starting from nothing")
}

function lookCommands(add: Add): void {
  add(
    'check',
    'all mistakes of the configuration, without network',
    async () => (await import('./commands/check.ts')).check,
  )
  add(
    'doctor',
    'whether everything outside answers, each finding with its fix',
    async () => (await import('./commands/doctor.ts')).doctor,
  )
  add(
    'status',
    'where each job stands for a date',
    async () => (await import('./commands/status.ts')).status,
  ).addOption(date())
  add('runs', 'the latest attempts', async () => (await import('./commands/status.ts')).runs)
    .option('--job <job>', 'only this job')
    .option('--limit <n>', 'how many', '20')
  add(
    'files',
    'files as received, with their verdicts',
    async () => (await import('./commands/files.ts')).files,
  )
    .option('--job <job>', 'only this job')
    .addOption(date('only this business date'))
    .option('--limit <n>', 'how many', '50')
  add(
    'rejects <action> [reject]',
    'list, show or export rejected records',
    async () => (await import('./commands/rejects.ts')).rejects,
  )
    .option('--job <job>', 'only this job')
    .addOption(date('only this business date'))
    .option('--out <file>', 'export: the CSV to write (default stdout)')
    .option('--limit <n>', 'list: how many', '50')
  breakCommands(add)
  snapshotCommands(add)
  traceCommand(add)
  add(
    'report <action>',
    'send: the mail of a run again',
    async () => (await import('./commands/report.ts')).report,
  )
    .requiredOption('--run <run>', 'job@date, such as fx-rates@2026-11-20')
    .option('--dry-run', 'write the .eml file only')
  add(
    'next <cron>',
    'the occurrences the scheduler would plan',
    async () => (await import('./commands/next.ts')).next,
  )
    .requiredOption('--zone <zone>', 'IANA zone, such as Europe/Berlin')
    .option('--from <time>', 'instant or local time to start at (default now)')
    .option('--count <n>', 'how many', '5')
    .option('--calendar <name>', 'only business days of every-day, weekdays or TARGET2')
}

function breakCommands(add: Add): void {
  add(
    'breaks <action> [break...]',
    'list, show, history, ack, unack, import or resolve: proved differences over many nights',
    async () => (await import('./commands/breaks.ts')).breaks,
  )
    .option('--job <job>', 'list: only this job; resolve --plan: this one')
    .addOption(date('list: as of this business date (default: the last night); resolve --plan: whose breaks'))
    .option('--state <states>', 'list: open (default), all, or states, comma separated')
    .option('--limit <n>', 'list: how many', '50')
    .option('--reason <text>', 'ack, unack: why')
    .option('--until <date>', 'ack: last business date on which it holds, such as 2026-12-01 or +10bd')
    .option('--owner <name>', 'ack: who stands for it (default: who says so)')
    .option('--by <name>', 'ack, unack, import, resolve: who says so (default: the account at this machine)')
    .option('--confirm', 'ack: confirm as the second person what another one acknowledged')
    .option('--dry-run', 'import: check every line of the CSV, take no decision')
    .option('--plan <dir>', 'resolve: write a plan of changes to the target there')
    .option('--apply <plan>', 'resolve: apply a plan')
}

function snapshotCommands(add: Add): void {
  add(
    'snapshots <action> [snapshot]',
    'list, show, verify or purge: the stored pictures of both sides',
    async () => (await import('./commands/snapshots.ts')).snapshots,
  )
    .option('--job <job>', 'list, verify: only this job')
    .addOption(date('list: only this business date; verify: prove that night again'))
    .option('--limit <n>', 'list: how many', '50')
    .option('--dry-run', 'purge: say what would go and why the rest stays')
}

function traceCommand(add: Add): void {
  add(
    'trace <job> <key>',
    'where a record came from: its rows, breaks, load, file, line and text',
    async () => (await import('./commands/trace.ts')).trace,
  ).addOption(date('only this business date (default: all that are kept)'))
}

function fileCommands(add: Add): void {
  add(
    'preview <file>',
    'what the engine sees in a file',
    async () => (await import('./commands/preview.ts')).preview,
  )
    .addOption(new Option('--format <format>', 'instead of guessing').choices(['csv', 'xml']))
    .option('--delimiter <text>', 'one or more characters; \\t for a TAB')
    .option('--quote <char>', "quote character, 'none' for a file without quoting")
    .option('--escape <char>', 'escape character inside quotes')
    .option('--record-end <text>', 'record end such as \\r\\n or &|\\n')
    .option('--charset <name>', 'such as utf-8, windows-1252, iso-8859-15, utf-16le')
    .option('--no-header', 'the first record is data')
    .option('--preamble <n>', 'lines before the header')
    .option('--footer <text...>', 'lines that start so end the data')
    .option('--record <path>', 'XML: path of the record element, such as Envelope/Cube/Cube/Cube')
    .option('--limit <n>', 'print at most so many records')
    .option('--job <job>', "read with this job's parser")
  add(
    'compare <left> <right>',
    'reconcile two files or queries: left is the source, right the target',
    async () => (await import('./commands/compare.ts')).compare,
  )
    .requiredOption('--key <columns>', 'key columns, comma separated', collect)
    .option('--map <left=right>', 'columns of other names', collect)
    .option(
      '--left <opt=value>',
      'how to read the left side: preview options, or where=SQL condition',
      collect,
    )
    .option('--right <opt=value>', 'the same for the right side', collect)
    .option('--tolerance <column=amount>', 'numbers equal within this', collect)
    .option('--ignore <columns>', 'columns left out', collect)
    .option('--trim', 'spaces at both ends do not count')
    .option('--null <tokens>', 'texts that mean null, comma separated', collect)
    .option('--no-header', 'no header on either side')
    .option('--out <dir>', 'write all breaks and the summary there')
}

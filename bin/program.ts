/**
 * One command line from arguments to exit code: help, signals, errors. Parsing is commander's; which commands
 * there are and what options they take is command-list.ts.
 */
import { Command, CommanderError } from 'commander'
import { ConfigError, type TallymanError } from '../lib/model/errors.ts'
import { type Action, type Add, addCommands } from './command-list.ts'
import { EXIT, exitCodeOf } from './exit-codes.ts'
import { PROGRAM } from './next-command.ts'
import { codeVersion, openSession, type Session, signalOfProcess, type Variables } from './session.ts'
import { jsonFailure, noteError, openTerminal, type Terminal } from './terminal.ts'

/**
 * Commands that hold a run: on the first Ctrl-C they finish the transaction in hand and end by
 * themselves. All others only look, and are left where they are.
 */
const HOLDING = new Set(['run', 'rerun', 'reconcile', 'schedule', 'demo', 'report'])

/** Runs one command line and gives its exit code. `variables` are the process's environment variables. */
export async function runProgram(
  argv: readonly string[],
  variables: Variables,
  workingDirectory: string,
): Promise<number> {
  let code: number = EXIT.done
  const wants = (flag: string): boolean => argv.includes(flag)
  const terminal = openTerminal(process, {
    json: wants('--json'),
    quiet: wants('--quiet'),
    noColor: (variables.NO_COLOR ?? '') !== '' || variables.TERM === 'dumb',
  })
  const program = rootCommand(terminal)
  const add: Add = (usage, description, load) =>
    program
      .command(usage)
      .description(description)
      .option('--json', 'one JSON document on stdout')
      .option('--quiet', 'no progress, no notes')
      .exitOverride()
      .action(async (...all: unknown[]) => {
        const args = all.slice(0, -2) as string[]
        const options = all.at(-2) as Record<string, unknown>
        const holds = HOLDING.has((all.at(-1) as Command).name()) || options.apply !== undefined
        const session = openSession(terminal, variables, workingDirectory, signalOfProcess(terminal, holds))
        code = await act(await load(), session, holds, options, args)
      })
  addCommands(program, add)
  try {
    await program.parseAsync([...argv], { from: 'user' })
    return code
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return EXIT.done
    const told = error instanceof CommanderError ? usageError(error, argv) : error
    if (terminal.json) terminal.out(jsonFailure(told))
    // Help that was asked for by giving no command is its own message.
    if (!(error instanceof CommanderError && error.code === 'commander.help')) noteError(terminal, told)
    return exitCodeOf(told)
  }
}

function rootCommand(terminal: Terminal): Command {
  return new Command('tallyman')
    .description(
      'Moves files and rows between systems at night and proves in the morning that nothing was lost, doubled or changed on the way.',
    )
    .version(codeVersion())
    .option('--json', 'one JSON document on stdout, all else on stderr')
    .option('--quiet', 'no progress, no notes')
    .showSuggestionAfterError()
    .exitOverride()
    .configureOutput({
      writeErr: text => terminal.note(text.trimEnd()),
      writeOut: text => terminal.out(text),
      // Told by noteError, as every other error.
      outputError: () => {},
    })
    .addHelpText(
      'after',
      `
Exit codes: 0 done, nothing to do, or waiting for a file; 1 failed; 2 usage or configuration; 3 rejects
(with --fail-on rejects); 4 breaks; 5 inconclusive; 75 try later; 130 interrupted; 143 terminated.
More: docs/commands.md, and --help after each command.`,
    )
}

async function act(
  action: Action,
  session: Session,
  holds: boolean,
  options: Record<string, unknown>,
  args: string[],
): Promise<number> {
  try {
    const work = action(session, options, ...args)
    return await (holds ? work : Promise.race([work, aborted(session.signal)]))
  } finally {
    await session.close()
  }
}

/** Rejects with the signal's reason once it is aborted. */
function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
  })
}

/** What was wrong in a command line, with the nearest right word and where the help is. */
function usageError(error: CommanderError, argv: readonly string[]): TallymanError {
  const [what = '', ...more] = error.message.replace(/^error: /, '').split('\n')
  const suggestion = more.map(line => line.replace(/^\((.*)\)$/, ' $1')).join('')
  const command =
    error.code === 'commander.unknownCommand' || argv[0]?.startsWith('-') === true ? '' : argv[0]
  const help = [PROGRAM, command, '--help'].filter(word => word !== undefined && word !== '').join(' ')
  if (error.code === 'commander.help')
    return new ConfigError('CONFIG_USAGE', `No command was given. Nothing was started; ${help} lists them.`)
  const said = `${what.charAt(0).toUpperCase()}${what.slice(1)}`.replace(/\.$/, '')
  return new ConfigError('CONFIG_USAGE', `${said}.${suggestion} Nothing was started; see ${help}.`)
}

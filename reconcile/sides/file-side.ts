/**
 * Opens a file as a side: csv, xml or parquet, by what it is or by what was said of it.
 */
import { randomUUID } from 'node:crypto'
import { mkdir, open, rm, stat } from 'node:fs/promises'
import path from 'node:path'
import { ConfigError, ParseError } from '../../lib/model/errors.ts'
import type { StepContext } from '../../lib/model/progress.ts'
import { type GivenReading, guessSpec } from '../../lib/parse/guess-spec.ts'
import { openSpool } from '../snapshot/spool.ts'
import { spoolCsv } from './csv-side.ts'
import type { OpenedSide, SidePlace } from './opened-side.ts'
import { openParquetSide } from './parquet-side.ts'
import { spooledSide } from './spooled-side.ts'
import { spoolXml } from './xml-side.ts'

/** How a file is to be read; what is not said is guessed, and the guess is told. */
export interface SideReading extends Omit<GivenReading, 'format'> {
  readonly format?: 'csv' | 'xml' | 'parquet'
}

/** The first bytes of every Parquet file. */
const PARQUET_MARK = 'PAR1'

/**
 * Opens a file; delimited and XML files are read to their end.
 * @throws PARSE codes when the file as a whole can't be read, CONFIG_USAGE when an XML file comes without a record path
 */
export async function openFileSide(
  place: SidePlace,
  file: string,
  reading: SideReading,
  context: StepContext,
): Promise<OpenedSide> {
  const name = path.basename(file)
  const { format, ...given } = reading
  if (format === 'parquet' || (format === undefined && (await begins(file, name)) === PARQUET_MARK)) {
    return openParquetSide(place, file)
  }
  const guess = await guessSpec(file, format === undefined ? given : { ...given, format }, context)
  if (guess.format === 'xml' && guess.record === null) {
    throw new ConfigError(
      'CONFIG_USAGE',
      `${name} is XML: say which elements are its rows, such as record=Envelope/Cube/Cube/Cube. Nothing was compared.`,
    )
  }
  await mkdir(place.workFolder, { recursive: true })
  const spool = await openSpool(path.join(place.workFolder, `side-${randomUUID()}.csv`))
  try {
    const read =
      guess.format === 'csv'
        ? await spoolCsv(file, name, guess.spec, spool, context)
        : await spoolXml(file, name, { record: guess.record!, charset: guess.charset }, spool, context)
    await spool.close()
    const asOf = (await stat(file)).mtime.toISOString()
    const guessed = guess.guessed.length === 0 ? [] : [`${name}: guessed ${guess.guessed.join(', ')}`]
    return spooledSide(place, {
      name,
      columns: read.columns,
      notes: [...guessed, ...read.notes],
      asOf,
      spool,
    })
  } catch (error) {
    await spool.close()
    await rm(spool.path, { force: true })
    throw error
  }
}

async function begins(file: string, name: string): Promise<string> {
  const handle = await open(file, 'r').catch((cause: unknown) => {
    throw new ParseError('PARSE_FILE_UNREADABLE', `${name} can't be opened. Nothing was compared.`, {
      cause,
      details: { file },
    })
  })
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(4), 0, 4, 0)
    return buffer.toString('latin1', 0, bytesRead)
  } catch (cause) {
    throw new ParseError('PARSE_FILE_UNREADABLE', `${name} can't be read. Nothing was compared.`, {
      cause,
      details: { file },
    })
  } finally {
    await handle.close()
  }
}

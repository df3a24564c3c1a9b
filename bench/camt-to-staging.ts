/**
 * A camt.053 file, parsed, mapped, its statements held to their law, into staging; against saxes alone
 * over the same file, which reads every character and keeps nothing. `--entries 30000 --rounds 3`.
 */
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { SaxesParser } from 'saxes'
import type { Staging } from '../lib/load/staging.ts'
import { makeTarget, openStaging, type Prepared, prepare, stageFile } from './feed-load.ts'
import { tellAgainst } from './figures.ts'
import { type Contender, interleave, tell } from './interleave.ts'
import { numbers, type Scratch, withScratch } from './scratch.ts'
import { statementFeed, writeStatements } from './statement-feed.ts'

const { entries, rounds } = numbers({ entries: 30_000, rounds: 3 })

await withScratch(async scratch => {
  const source = join(scratch.folder, 'statements.xml')
  await writeStatements(source, entries)
  await makeTarget(scratch.database, statementFeed)
  const megabytes = (await stat(source)).size / 1e6
  const measured = await interleave([alone(source), staged(scratch, source)], rounds)
  tell(`${entries} camt entries, ${megabytes.toFixed(0)} MB of XML -> staging`, measured)
  tellAgainst('camt XML -> staging', measured, 1.8)
})

/** saxes with the events that any reader of records needs. */
function alone(source: string): Contender {
  return {
    name: 'saxes alone',
    run: async () => {
      const parser = new SaxesParser()
      let found = 0
      let characters = 0
      parser.on('opentag', tag => {
        if (tag.name === 'Ntry') found += 1
      })
      parser.on('closetag', () => {})
      parser.on('text', text => {
        characters += text.length
      })
      for await (const text of createReadStream(source, { encoding: 'utf8', highWaterMark: 262_144 }))
        parser.write(text as string)
      parser.close()
      if (found !== entries || characters === 0) throw new Error(`${found} entries found`)
    },
  }
}

function staged({ database }: Scratch, source: string): Contender {
  let prepared: Prepared
  let staging: Staging
  return {
    name: 'parse, map, judge statements, COPY',
    before: async () => {
      prepared = await prepare(database, statementFeed)
      staging = await openStaging(prepared, statementFeed)
    },
    server: () => prepared.connection.pid,
    run: async () => {
      const { rows, counts } = await stageFile(statementFeed, source, prepared, staging)
      if (rows.get('entries') !== entries || counts.rejected > 0) throw new Error(JSON.stringify(counts))
    },
    after: async () => {
      await prepared.connection.query('ROLLBACK')
      await prepared.close()
    },
  }
}

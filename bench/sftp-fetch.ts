/**
 * A file fetched over SFTP from an OpenSSH server: verified by sizes, hashed, on the disk; against
 * OpenSSH's own `sftp`, which only copies. Both connect anew each time. `--megabytes 100 --rounds 3`.
 */
import { createHash, randomBytes } from 'node:crypto'
import { open, readFile, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { download } from '../lib/fetch/download.ts'
import { Secret } from '../lib/model/secret.ts'
import { sftpConnection } from '../lib/sftp/sftp-connection.ts'
import { tellAgainst } from './figures.ts'
import { type Contender, interleave, tell } from './interleave.ts'
import { hasOpenSsh, type OpenSsh, startOpenSsh } from './openssh.ts'
import { numbers, quiet, withFolder } from './scratch.ts'

const { megabytes, rounds } = numbers({ megabytes: 100, rounds: 3 })

/** Silence after which a download would be given up; nothing here is silent. */
const STALL_MS = 60_000

if (!hasOpenSsh()) {
  process.stdout.write('SFTP fetch: not measured, because OpenSSH (sshd and sftp) is not installed here.\n')
} else {
  await withFolder(async folder => {
    const sha256 = await writeNoise(join(folder, 'remote'))
    const server = await startOpenSsh(folder)
    try {
      const measured = await interleave([copied(server, folder), fetched(server, folder, sha256)], rounds)
      tell(`${megabytes} MB over SFTP from OpenSSH`, measured)
      tellAgainst('SFTP fetch', measured, 1.5)
    } finally {
      server.stop()
    }
  })
}

/** A file of bytes that no layer can make smaller; gives its hash. */
async function writeNoise(path: string): Promise<string> {
  const hash = createHash('sha256')
  const handle = await open(path, 'w')
  for (let written = 0; written < megabytes; written += 1) {
    const piece = randomBytes(1_000_000)
    hash.update(piece)
    await handle.write(piece)
  }
  await handle.close()
  return hash.digest('hex')
}

function copied(server: OpenSsh, folder: string): Contender {
  const local = join(folder, 'copied')
  return {
    name: "OpenSSH's sftp",
    run: async () => {
      await server.fetch(join(folder, 'remote'), local)
      if ((await stat(local)).size !== megabytes * 1_000_000) throw new Error('sftp copied another size')
    },
    after: () => rm(local),
  }
}

function fetched({ endpoint }: OpenSsh, folder: string, sha256: string): Contender {
  const local = join(folder, 'fetched')
  const { key } = endpoint.auth as { readonly key: { readonly file: string } }
  return {
    name: 'fetched, verified, hashed, synced',
    run: async () => {
      const source = sftpConnection({
        name: 'bench',
        endpoint,
        readSecret: async () => new Secret(await readFile(key.file, 'utf8')),
        stallMs: STALL_MS,
        context: quiet,
      })
      try {
        const { size, mtimeMs } = (await source.list(folder)).entries.find(({ name }) => name === 'remote')!
        const file = { remoteFolder: folder, remoteName: 'remote', size: size!, mtimeMs: mtimeMs! }
        const limits = { maxBytes: Number.MAX_SAFE_INTEGER, checksum: null }
        const got = await download(source, file, local, limits, quiet)
        if ('code' in got || got.rawSha256 !== sha256) throw new Error(JSON.stringify(got))
      } finally {
        await source.close()
      }
    },
    after: () => rm(local),
  }
}

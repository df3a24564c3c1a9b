/**
 * The error of a file that came over whole but can't be used. fetch-files.ts turns it into a
 * quarantined file: the bytes are archived as evidence and the other files go on.
 */
import { FetchError } from '../model/errors.ts'

/** The file itself is bad; fetching it again would give the same bytes. */
export class UnusableFile extends FetchError {}

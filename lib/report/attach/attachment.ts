/** What goes with a mail beside its two parts. attachments.ts says which, sheet-file.ts makes the CSV ones. */

/** A file that goes with a mail. The name is ours: no name from outside is in it. */
export interface Attachment {
  readonly name: string
  readonly contentType: string
  readonly content: Buffer
}

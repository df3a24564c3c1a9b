/**
 * Reads an answer's body up to a limit, so that a peer can't fill the memory. Decompressed bytes count.
 */

/** The body as text; null when it is longer than `maxBytes`, and then the rest is not read. @throws TypeError when it is no UTF-8. */
export async function readBounded(response: Response, maxBytes: number): Promise<string | null> {
  if (response.body === null) return ''
  const decoder = new TextDecoder('utf-8', { fatal: true })
  let text = ''
  let bytes = 0
  for await (const chunk of response.body) {
    bytes += chunk.byteLength
    if (bytes > maxBytes) return null
    text += decoder.decode(chunk, { stream: true })
  }
  return text + decoder.decode()
}

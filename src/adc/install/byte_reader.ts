/** Reads a stream of chunks in pieces of any length. */
export class ByteReader {
  readonly #chunks: AsyncIterator<Uint8Array>;
  #rest: Uint8Array = new Uint8Array();

  /** Begins at the start of the stream. */
  constructor(chunks: AsyncIterable<Uint8Array>) {
    this.#chunks = chunks[Symbol.asyncIterator]();
  }

  /** The next bytes, as they come. */
  async *stream(length: number): AsyncGenerator<Uint8Array> {
    for (let left = length; left > 0;) {
      if (this.#rest.length === 0) {
        const { done, value } = await this.#chunks.next();
        if (done) return;
        this.#rest = value;
        continue;
      }
      const chunk = this.#rest.subarray(0, left);
      this.#rest = this.#rest.subarray(chunk.length);
      left -= chunk.length;
      yield chunk;
    }
  }

  /** The next bytes at once. */
  async take(length: number): Promise<Uint8Array> {
    const bytes = new Uint8Array(length);
    let start = 0;
    for await (const chunk of this.stream(length)) {
      bytes.set(chunk, start);
      start += chunk.length;
    }
    return bytes.subarray(0, start);
  }

  /** Passes bytes over. */
  async skip(length: number): Promise<boolean> {
    let skipped = 0;
    for await (const chunk of this.stream(length)) skipped += chunk.length;
    return skipped === length;
  }
}

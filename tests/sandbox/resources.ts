/**
 * What a gateway is configured with: routes, services, consumers and so on.
 *
 * @module
 */

/** One resource, with the revisions that etcd would give it. */
export interface Entry {
  readonly id: string;
  readonly value: Record<string, unknown>;
  readonly createdIndex: number;
  readonly modifiedIndex: number;
}

/** Resources by collection, such as `services` or `consumers/jack/credentials`. */
export class Resources {
  readonly #collections = new Map<string, Map<string, Entry>>();
  #revision = 10;

  /** Writes a resource; tells whether it is new. */
  put(collection: string, entry: Pick<Entry, "id" | "value">): { entry: Entry; created: boolean } {
    const entries = this.#collections.get(collection) ?? new Map<string, Entry>();
    this.#collections.set(collection, entries);
    const before = entries.get(entry.id);
    const revision = ++this.#revision;
    const written = {
      ...entry,
      createdIndex: before?.createdIndex ?? revision,
      modifiedIndex: revision,
    };
    entries.set(entry.id, written);
    return { entry: written, created: before === undefined };
  }

  /** Reads a resource. */
  get(collection: string, id: string): Entry | undefined {
    return this.#collections.get(collection)?.get(id);
  }

  /** Reads a collection, in the order of creation. */
  list(collection: string): Entry[] {
    return [...this.#collections.get(collection)?.values() ?? []];
  }

  /** Deletes a resource and the collections below it; tells whether it was there. */
  delete(collection: string, id: string): boolean {
    for (const name of this.#collections.keys()) {
      if (name.startsWith(`${collection}/${id}/`)) this.#collections.delete(name);
    }
    return this.#collections.get(collection)?.delete(id) ?? false;
  }
}

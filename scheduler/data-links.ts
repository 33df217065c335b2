/**
 * Owns the fetching of data by a client, over one connection a node. Must not know: what is fetched, or why
 * from there.
 */
import { DataLink, type DatumParts, type Transport } from '../runtime/index.ts';
import { LinkPool } from './link-pool.ts';

export interface DataLinksOptions {
  readonly transport: Transport;
  readonly token: string;
}

export class DataLinks {
  readonly #pool: LinkPool<DataLink>;

  constructor(options: DataLinksOptions) {
    const open = (connection: ConstructorParameters<typeof DataLink>[0]) => new DataLink(connection);
    this.#pool = new LinkPool({ ...options, role: 'data', open });
  }

  /** Fetches a datum from the node at `url`. Rejects as dialling and `DataLink.fetch` do. */
  fetch(url: string, key: string, signal: AbortSignal): Promise<DatumParts> {
    return this.#pool.use(url, (link) => link.fetch(key, signal));
  }

  close(): void {
    this.#pool.close();
  }
}

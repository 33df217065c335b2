/**
 * Owns the connections over which a client asks actors, one a node: dialled when first needed, kept while
 * they stand. Must not know: what is asked.
 */
import { ActorLink, type Transport } from '../runtime/index.ts';
import { clientLimits } from './limits.ts';

export interface ActorLinksOptions {
  readonly transport: Transport;
  readonly token: string;
}

export class ActorLinks {
  readonly #options: ActorLinksOptions;
  readonly #links = new Map<string, Promise<ActorLink>>();
  readonly #closing = new AbortController();

  constructor(options: ActorLinksOptions) {
    this.#options = options;
  }

  /** The connection to the node at `url`. Rejects as dialling does. */
  to(url: string): Promise<ActorLink> {
    const known = this.#links.get(url);
    if (known !== undefined) return known;
    const link = this.#dial(url);
    this.#links.set(url, link);
    const forget = (): void => {
      if (this.#links.get(url) === link) this.#links.delete(url);
    };
    link.then(({ closed }) => closed.then(forget), forget);
    return link;
  }

  close(): void {
    this.#closing.abort();
    for (const link of this.#links.values()) {
      link.then(
        (open) => open.close(),
        () => undefined,
      );
    }
    this.#links.clear();
  }

  async #dial(url: string): Promise<ActorLink> {
    const { transport, token } = this.#options;
    const hello = { role: 'caller' };
    const { signal } = this.#closing;
    return new ActorLink(await transport.dial(url, { token, hello, timeoutMs: clientLimits.dialMs, signal }));
  }
}

/**
 * Owns a client's actors: spawning them, alone or as a group, finding them by name, and following each one
 * where it goes. Must not know: how the scheduler chooses nodes, how actors live.
 */
import { randomUUID } from 'node:crypto';
import {
  ActorCaller,
  type ActorDefinition,
  type ActorId,
  type ActorMessages,
  AsperitasError,
  actorId,
  encodePacked,
  fromWireError,
  type SiteName,
} from '../runtime/index.ts';
import type { ActorLinks } from './actor-links.ts';
import type { ActorSpec, SupervisorSpec } from './actor-messages.ts';
import { type ActorAddress, type ActorChange, ActorRef } from './actor-ref.ts';
import type { InspectorTools } from './client-inspect.ts';
import { until } from './client-wait.ts';
import type { WaitOptions } from './cluster.ts';
import { clientLimits } from './limits.ts';
import type { ToClient, ToScheduler } from './protocol.ts';
import {
  type ActorChild,
  type GroupChild,
  type Restarts,
  type SpawnOptions,
  type Supervision,
  supervisorOf,
} from './supervision.ts';

type Spawn = Extract<ToScheduler, { readonly type: 'spawn-actors' }>;
export type ActorNews = Extract<
  ToClient,
  {
    readonly type:
      | 'actors-up'
      | 'actors-refused'
      | 'actor-found'
      | 'actor-at'
      | 'actor-away'
      | 'actor-gone'
      | 'actor-spared';
  }
>;
type Find = Extract<ToScheduler, { readonly type: 'find-actor' }>;
type Found = Extract<ActorNews, { readonly type: 'actor-found' }>;

export function isActorNews(message: ToClient): message is ActorNews {
  return message.type.startsWith('actor-') || message.type.startsWith('actors-');
}

/** An actor as this client knows it. */
interface Known {
  readonly caller: ActorCaller;
  readonly listeners: Set<(change: ActorChange) => void>;
  ref: ActorRef<ActorMessages>;
}

/** What a cluster does with actors beyond spawning one. */
export interface Actors {
  /** Spawns several together: all come to live, or none does. They start in their order, stop in reverse, and
   * are restarted as `supervision` says. The references come in the order of the actors in the tree.
   * @throws AsperitasError as `spawn` does */
  spawnAll(
    children: readonly GroupChild[],
    supervision?: Supervision & { readonly detached?: boolean },
    wait?: WaitOptions,
  ): Promise<readonly ActorRef<ActorMessages>[]>;
}

export class ClientActors implements Actors {
  readonly #tools: InspectorTools;
  readonly #links: ActorLinks;
  readonly #known = new Map<ActorId, Known>();
  /** What was asked of the scheduler and has no answer yet. */
  readonly #spawning = new Map<
    string,
    { readonly message: Spawn; readonly answer: (error: Error | undefined) => void }
  >();
  readonly #finding = new Map<number, { readonly message: Find; readonly answer: (found: Found) => void }>();
  readonly #stopping = new Set<ActorId>();
  #lastRequest = 0;

  constructor(tools: InspectorTools, links: ActorLinks) {
    this.#tools = tools;
    this.#links = links;
  }

  async spawn<O, M extends ActorMessages>(
    definition: ActorDefinition<O, M>,
    options: O,
    { detached, timeoutMs, signal, ...more }: SpawnOptions = {},
  ): Promise<ActorRef<M>> {
    const limits = {
      ...(timeoutMs === undefined ? {} : { timeoutMs }),
      ...(signal === undefined ? {} : { signal }),
    };
    const restarts: Restarts = typeof more.restart === 'object' ? more.restart : {};
    const [ref] = await this.spawnAll(
      [{ definition, options, ...more } as GroupChild],
      { ...restarts, ...(detached === undefined ? {} : { detached }) },
      limits,
    );
    return ref as unknown as ActorRef<M>;
  }

  spawnAll(
    children: readonly GroupChild[],
    { detached = false, ...supervision }: Supervision & { readonly detached?: boolean } = {},
    wait: WaitOptions = {},
  ): Promise<readonly ActorRef<ActorMessages>[]> {
    const group = randomUUID();
    const supervisors: SupervisorSpec[] = [supervisorOf(supervision, undefined)];
    const actors: ActorSpec[] = [];
    const definitions: ActorDefinition<never, ActorMessages>[] = [];
    const add = (list: readonly GroupChild[], supervisor: number): void => {
      for (const child of list) {
        if ('children' in child) {
          supervisors.push(supervisorOf(child.supervision ?? {}, supervisor));
          add(child.children, supervisors.length - 1);
        } else {
          actors.push(specOf(child, supervisor));
          definitions.push(child.definition);
        }
      }
    };
    add(children, 0);
    const limits = { timeoutMs: clientLimits.spawnMs, ...wait };
    return this.#tools.within('spawn', limits, async (signal) => {
      const refs = actors.map(({ actor }, k) => this.#know(actor, definitions[k]!).ref);
      try {
        await this.#spawned({ type: 'spawn-actors', group, actors, supervisors, detached }, signal);
      } catch (error) {
        // Nobody has the references: whatever comes to live ends.
        for (const { actor } of actors) {
          this.#tools.tell({ type: 'end-actor', actor });
          this.#known.delete(actor);
        }
        throw error;
      }
      return refs;
    });
  }

  /** @throws AsperitasError `no-such-actor`, `another-actor` */
  find<O, M extends ActorMessages>(
    definition: ActorDefinition<O, M>,
    nameOrAddress: string | ActorAddress,
    wait: WaitOptions = {},
  ): Promise<ActorRef<M>> {
    return this.#tools.within('actor', { timeoutMs: clientLimits.spawnMs, ...wait }, async (signal) => {
      const address = typeof nameOrAddress === 'string' ? undefined : nameOrAddress;
      const known = address === undefined ? undefined : this.#known.get(address.actor);
      if (known !== undefined) return known.ref as unknown as ActorRef<M>;
      const request = ++this.#lastRequest;
      // News of its place may come right behind the answer: it must be known by then.
      let ref: ActorRef<M> | undefined;
      let failed: Error | undefined;
      await until((resolve) => {
        const answer = ({ actor, definition: name, error }: Found): void => {
          if (error !== undefined || actor === undefined) failed = fromWireError(error);
          else if (name !== definition.name) failed = anotherActor(nameOrAddress, name, definition.name);
          else ref = this.#know(actor, definition).ref as unknown as ActorRef<M>;
          resolve();
        };
        const wanted = address === undefined ? { name: String(nameOrAddress) } : { actor: address.actor };
        const message = { type: 'find-actor', request, ...wanted } as const;
        this.#finding.set(request, { message, answer });
        this.#tools.tell(message);
        return () => void this.#finding.delete(request);
      }, signal);
      if (failed !== undefined) throw failed;
      return ref!;
    });
  }

  /** Takes in what the scheduler says about actors. */
  hear(news: ActorNews): void {
    switch (news.type) {
      case 'actors-up':
        this.#spawning.get(news.group)?.answer(undefined);
        return;
      case 'actors-refused':
        this.#spawning.get(news.group)?.answer(fromWireError(news.error));
        return;
      case 'actor-found': {
        const asked = this.#finding.get(news.request);
        this.#finding.delete(news.request);
        asked?.answer(news);
        return;
      }
      default:
        this.#follow(news);
    }
  }

  /** A scheduler is there again, perhaps another one: what waits for its word is said once more. Asks went on
   * meanwhile, as they do not pass through it. */
  askAgain(): void {
    for (const { message } of this.#spawning.values()) this.#tools.tell(message);
    for (const { message } of this.#finding.values()) this.#tools.tell(message);
    for (const actor of this.#stopping) this.#tools.tell({ type: 'end-actor', actor });
    for (const actor of this.#known.keys()) this.#recognise(actor, performance.now());
  }

  /** Asks what has become of an actor. A new scheduler knows only those whose nodes have come back to it, so
   * it is believed after a while. */
  #recognise(actor: ActorId, sinceMs: number): void {
    const request = ++this.#lastRequest;
    const message = { type: 'find-actor', request, actor } as const;
    const answer = ({ error }: Found): void => {
      if (error === undefined || !this.#known.has(actor)) return;
      if (performance.now() - sinceMs > clientLimits.actorReturnMs) {
        this.#follow({ type: 'actor-gone', actor, error });
      } else {
        setTimeout(() => this.#recognise(actor, sinceMs), clientLimits.actorReturnPauseMs).unref();
      }
    };
    this.#finding.set(request, { message, answer });
    this.#tools.tell(message);
  }

  /** The cluster is gone for this client. */
  close(error: Error): void {
    for (const { caller } of this.#known.values()) caller.end(error);
    this.#known.clear();
    this.#links.close();
  }

  #follow(news: Exclude<ActorNews, { readonly type: 'actors-up' | 'actors-refused' | 'actor-found' }>): void {
    const known = this.#known.get(news.actor);
    if (known === undefined) return;
    const { caller } = known;
    if (news.type === 'actor-at') {
      const { incarnation, node, url } = news;
      caller.at({ incarnation, url });
      this.#tell(known, { type: 'lives', incarnation, node });
    } else if (news.type === 'actor-away') {
      this.#tell(known, { type: 'away', why: news.why });
    } else if (news.type === 'actor-spared') {
      this.#tell(known, { type: 'spared', message: news.message, error: fromWireError(news.error) });
    } else {
      this.#known.delete(news.actor);
      const error = fromWireError(news.error);
      caller.end(error);
      this.#tell(known, { type: 'gone', error });
    }
  }

  #tell({ listeners }: Known, change: ActorChange): void {
    for (const listener of [...listeners]) listener(change);
  }

  #spawned(message: Spawn, signal: AbortSignal): Promise<void> {
    const { group } = message;
    let failed: Error | undefined;
    return until((resolve) => {
      const answer = (error: Error | undefined): void => {
        failed = error;
        resolve();
      };
      this.#spawning.set(group, { message, answer });
      this.#tools.tell(message);
      return () => void this.#spawning.delete(group);
    }, signal).then(() => {
      if (failed !== undefined) throw failed;
    });
  }

  #know(actor: ActorId, definition: ActorDefinition<never, ActorMessages>): Known {
    const known = this.#known.get(actor);
    if (known !== undefined) return known;
    const { name, messages } = definition;
    const caller = new ActorCaller({
      actor,
      label: name,
      messages,
      link: (url) => this.#links.to(url),
    });
    const listeners = new Set<(change: ActorChange) => void>();
    const ref = new ActorRef<ActorMessages>(
      { actor, definition: name },
      {
        ask: (message, payload, options) => caller.ask(message, payload, options),
        tell: (message, payload) => caller.tell(message, payload),
        stop: (wait) => this.#stop(actor, listeners, wait),
        watch: (listener) => {
          const own = (change: ActorChange): void => listener(change);
          listeners.add(own);
          return () => void listeners.delete(own);
        },
      },
    );
    const made = { caller, listeners, ref };
    this.#known.set(actor, made);
    return made;
  }

  #stop(
    actor: ActorId,
    listeners: Set<(change: ActorChange) => void>,
    wait: WaitOptions = {},
  ): Promise<void> {
    return this.#tools.within('stop', { timeoutMs: clientLimits.spawnMs, ...wait }, (signal) =>
      until((resolve) => {
        const ended = (change: ActorChange): void => {
          if (change.type === 'gone') resolve();
        };
        if (this.#known.has(actor)) {
          listeners.add(ended);
          this.#stopping.add(actor);
          this.#tools.tell({ type: 'end-actor', actor });
        } else {
          resolve();
        }
        return () => {
          listeners.delete(ended);
          this.#stopping.delete(actor);
        };
      }, signal),
    );
  }
}

function anotherActor(
  wanted: string | ActorAddress,
  found: string | undefined,
  definition: string,
): AsperitasError {
  const what = typeof wanted === 'string' ? wanted : wanted.actor;
  const message = `actor ${what} is a ${found}, not a ${definition}`;
  return new AsperitasError('another-actor', message, { actor: what, definition });
}

function specOf(child: ActorChild, supervisor: number): ActorSpec {
  const { definition, options, restart, name, site, near, saveEvery } = child;
  return {
    actor: actorId(randomUUID()),
    definition: definition.name,
    options: encodePacked(options),
    ...(name === undefined ? {} : { name }),
    restart: typeof restart === 'string' ? restart : 'permanent',
    shutdownMs: child.shutdownMs ?? clientLimits.actorShutdownMs,
    ...(site === undefined ? {} : { site: site as SiteName }),
    ...(near === undefined ? {} : { near }),
    needs: { ...definition.needs, ...child.needs },
    mailbox: child.mailbox ?? clientLimits.mailbox,
    isolate: definition.isolate,
    movable: definition.movable,
    ...(saveEvery === undefined ? {} : { saveEvery }),
    poisonAfter: child.poisonAfter ?? clientLimits.poisonAfter,
    supervisor,
  };
}

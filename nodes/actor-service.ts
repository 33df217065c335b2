/**
 * Owns an actor inside its thread or process: its modules are loaded, its state is made, its messages are
 * carried out. Must not know: which kind of place it is in.
 */
import { actorBody, toWireError } from '../runtime/index.ts';
import type { ActorMethods, Reply, ToPlace } from './actor-post.ts';
import { ActorTurns, type TurnsTools } from './actor-turns.ts';
import { loadModules } from './run-body.ts';

export interface ActorService {
  readonly methods: ActorMethods;
  readonly receive: (message: ToPlace) => void;
}

export function serveActor(tools: TurnsTools): ActorService {
  let turns: ActorTurns | undefined;
  // Nothing is posted before `begin` has resolved.
  const begun = (): ActorTurns => {
    if (turns === undefined) throw new TypeError('the actor was not begun');
    return turns;
  };
  return {
    methods: {
      begin: (setup) =>
        reply(async () => {
          await loadModules(setup);
          turns = await ActorTurns.begin(setup, actorBody(setup.definition), tools);
        }),
      pause: () => reply(() => begun().pause()),
      save: () => reply(() => begun().save()),
      stop: () => reply(() => begun().stop()),
    },
    receive: (message) => begun().receive(message),
  };
}

async function reply<T>(body: () => Promise<T>): Promise<Reply<T>> {
  try {
    return { ok: true, value: await body() };
  } catch (error) {
    return { ok: false, error: toWireError(error) };
  }
}

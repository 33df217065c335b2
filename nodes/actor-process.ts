/**
 * Owns the entry of the process in which one actor lives; it ends with the node. Must not know: which actor,
 * the mailbox.
 */
import type { FromProcess, ToProcess } from './actor-place.ts';
import type { ActorMethods } from './actor-post.ts';
import { serveActor } from './actor-service.ts';

const send = (message: FromProcess): void => {
  // The node is gone: so is this process, presently.
  if (process.connected) process.send!(message, () => undefined);
};
const service = serveActor({
  post: (message) => send({ message }),
  note: (parcel, index, count) => send({ message: { type: 'begun', parcel, index, count } }),
});

async function answer(call: number, name: string, argument: unknown): Promise<void> {
  const method = service.methods[name as keyof ActorMethods] as (argument: unknown) => Promise<unknown>;
  send({ call, value: await method(argument) });
}

process.on('message', (raw) => {
  const to = raw as ToProcess;
  if ('message' in to) service.receive(to.message);
  else if (Object.hasOwn(service.methods, to.name)) void answer(to.call, to.name, to.argument);
});
process.on('disconnect', () => process.exit(0));
// Ctrl-C in a terminal reaches all of its processes: the node ends this one in order.
process.on('SIGINT', () => undefined);

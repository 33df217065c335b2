/**
 * Owns the entry of the thread in which one actor lives. Must not know: which actor, the mailbox.
 */
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { type ActorMethods, type FromPlace, mark, type ToPlace } from './actor-post.ts';
import { serveActor } from './actor-service.ts';
import { serveCalls } from './thread-calls.ts';

export interface ActorThreadData {
  readonly port: MessagePort;
}

const { port } = workerData as ActorThreadData;
let marks: Int32Array | undefined;
const service = serveActor({
  post: (message: FromPlace) => {
    const body = message.type === 'answers' ? message.body : undefined;
    if (body === undefined) {
      parentPort!.postMessage(message);
      return;
    }
    // The header is its own; frames are views of the author's arrays, which it may go on using.
    const frames = body.frames.map((frame) => Uint8Array.from(frame));
    const own = { ...message, body: { header: body.header, frames } };
    parentPort!.postMessage(
      own,
      frames.map(({ buffer }) => buffer),
    );
  },
  note: (parcel, index, count) => {
    if (marks === undefined) return;
    // The count is written last, and taken away first: nobody reads half of it.
    Atomics.store(marks, mark.count, 0);
    Atomics.store(marks, mark.parcel, parcel);
    Atomics.store(marks, mark.index, index);
    Atomics.store(marks, mark.count, count);
  },
});
const methods: ActorMethods = {
  ...service.methods,
  begin: (setup) => {
    marks = setup.marks;
    return service.methods.begin(setup);
  },
};
serveCalls(port, methods);
parentPort!.on('message', (message: ToPlace) => service.receive(message));

/**
 * Owns the connection of a caller to the actors of this node: what it sends reaches them, what they answer
 * reaches it. Must not know: how actors live.
 */
import {
  type ActorReply,
  ActorRequest,
  AsperitasError,
  type Connection,
  isAsperitasError,
  type MessageOf,
  type WireMessage,
} from '../runtime/index.ts';
import type { ActorHost, LineMouth } from './actor-host.ts';
import { limits } from './limits.ts';

type Reply = MessageOf<typeof ActorReply>;
type Request = MessageOf<typeof ActorRequest>;

/** Serves a caller until its connection closes. */
export function serveCaller(connection: Connection, host: ActorHost): void {
  /** The node's numbers of the caller's lines. */
  const lines = new Map<number, number>();
  const say = (reply: Reply): void => {
    connection.send(reply as unknown as WireMessage);
    // Answers are not kept for ever for a caller that does not take them.
    if (connection.bufferedBytes > limits.callerBacklogBytes) connection.close('answers are not read');
  };
  const mouthOf = (line: number): LineMouth => ({
    answers: ({ header, frames }) => say({ type: 'answers', line, header, frames }),
    refused: (from, why) => say({ type: 'refused', line, from, why }),
    room: () => say({ type: 'room', line }),
  });
  const hear = (request: Request): void => {
    const { line } = request;
    if (request.type === 'open') {
      if (lines.has(line) || lines.size >= limits.actorLines) {
        throw new AsperitasError('invalid-message', 'invalid message: a line was repeated, or too many', {
          line,
        });
      }
      lines.set(line, host.open(request.actor, request.incarnation, mouthOf(line)));
      return;
    }
    const own = lines.get(line);
    if (own === undefined) return;
    if (request.type === 'parcel') host.offer(own, request, request);
    else if (request.type === 'cancel') host.cancel(own, request.numbers);
    else {
      host.closeLine(own);
      lines.delete(line);
    }
  };
  connection.onMessage((raw) => {
    try {
      hear(ActorRequest.parse(raw));
    } catch (error) {
      if (!isAsperitasError(error)) throw error;
      connection.close('protocol error');
    }
  });
  void connection.closed.then(() => {
    for (const own of lines.values()) host.closeLine(own);
  });
}

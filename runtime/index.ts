/** The public face of the runtime: messages, codec and transport, free of tasks, graphs and astronomy. */

export * from './actor.ts';
export * from './actor-caller.ts';
export * from './actor-link.ts';
export * from './actor-messages.ts';
export * from './codec.ts';
export * from './command.ts';
export * from './data-link.ts';
export * from './errors.ts';
export * from './few-set.ts';
export * from './heap.ts';
export * from './ids.ts';
export * from './log.ts';
export * from './mailbox.ts';
export * from './message.ts';
export * from './observation-server.ts';
export * from './push-link.ts';
export * from './schema.ts';
export * from './supervision-core.ts';
export * from './supervision-state.ts';
export * from './text-layout.ts';
export * from './transport/credentials.ts';
export * from './transport/dial-any.ts';
export * from './transport/tls-files.ts';
export * from './transport/transport.ts';
export * from './transport/websocket.ts';
export * from './wire-error.ts';

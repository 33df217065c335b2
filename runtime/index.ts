/** The public face of the runtime: actors and transport, free of tasks, graphs and astronomy. */
export * from './command.ts';
export * from './errors.ts';
export * from './ids.ts';

/**
 * Owns the branded identifiers of the system, so that a node's name can't be passed where a task's key is
 * wanted. The words are those of docs/architecture.md. Must not know: who makes the ids, or how.
 */

declare const brand: unique symbol;

/** A primitive that is only assignable to its own kind. */
export type Branded<T, Name extends string> = T & { readonly [brand]: Name };

/** A place with fast links inside: a data centre, a telescope, a cloud region. */
export type SiteName = Branded<string, 'SiteName'>;
/** One agent process on one machine. */
export type NodeId = Branded<string, 'NodeId'>;
/** One connected user of the scheduler. */
export type ClientId = Branded<string, 'ClientId'>;
/** A task, and the datum it makes. Equal keys mean equal tasks. */
export type TaskKey = Branded<string, 'TaskKey'>;
/** One attempt at a task; never used twice, so a late report can't stand for another attempt. */
export type RunId = Branded<number, 'RunId'>;
/** One actor, through all its incarnations; never used twice. */
export type ActorId = Branded<string, 'ActorId'>;
/** Milliseconds on the clock of the process, or of the simulation. */
export type Millis = Branded<number, 'Millis'>;

export const siteName = (text: string): SiteName => text as SiteName;
export const nodeId = (text: string): NodeId => text as NodeId;
export const clientId = (text: string): ClientId => text as ClientId;
export const taskKey = (text: string): TaskKey => text as TaskKey;
export const actorId = (text: string): ActorId => text as ActorId;
export const runId = (value: number): RunId => value as RunId;
export const millis = (value: number): Millis => value as Millis;

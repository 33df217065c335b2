/**
 * Owns the account of how the results of a run came about: software, parameters, inputs with hashes, graph.
 * Must not know: how any of it was computed.
 */

/** `metadata`: sha256 over the `table.dat` of the set and of its subtables and over names and sizes of all
 * files, which changes with any change of structure, keyword or size, but not with a change of values inside
 * a data file. `content`: sha256 over the names and the contents of all files. */
export type InputHashKind = 'metadata' | 'content';

/** One set that was read. */
export interface ProvenanceInput {
  readonly path: string;
  readonly site: string;
  readonly sizeBytes: number;
  readonly hashKind: InputHashKind;
  readonly sha256: string;
}

/** The task graph in figures. */
export interface GraphSummary {
  readonly tasks: number;
  /** Number of tasks by function name. */
  readonly byFunction: Readonly<Record<string, number>>;
  readonly sites: readonly string[];
  readonly nodes: number;
}

/** One file that was written. */
export interface ProvenanceOutput {
  /** Relative to the output folder. */
  readonly path: string;
  readonly sizeBytes: number;
  readonly sha256: string;
}

/** The contents of provenance.json. Times are MJD UTC and are written as ISO 8601. */
export interface Provenance {
  /** Versions by name: asperitas itself, node, v8, packages. */
  readonly software: Readonly<Record<string, string>>;
  /** The command as given. */
  readonly command: readonly string[];
  readonly startedMjd: number;
  readonly endedMjd: number;
  /** By name, defaults included. */
  readonly parameters: Readonly<Record<string, string | number | boolean | readonly (string | number)[]>>;
  readonly inputs: readonly ProvenanceInput[];
  readonly graph: GraphSummary;
  readonly outputs: readonly ProvenanceOutput[];
}

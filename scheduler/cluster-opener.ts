/**
 * Owns how a command asks for a cluster without knowing how nodes are started: the command line passes an
 * opener as the service `openCluster`. Must not know: processes, sockets.
 */
import type { GraphCluster } from './cluster.ts';

/** A site of a cluster on this machine. */
export interface LocalSite {
  /** How many node processes; 1 unless told. */
  readonly nodes?: number;
  /** Threads of each; 1 unless told. */
  readonly threads?: number;
  /** Memory of each; a fair share of the machine unless told. */
  readonly memoryBytes?: number;
  /** The folder whose files its tasks may read. */
  readonly data?: string;
}

export interface OpenClusterOptions {
  /** A running scheduler's URL; without it a cluster is started on this machine. */
  readonly scheduler?: string;
  readonly tokenFile?: string;
  /** Sites of the cluster to start. */
  readonly sites?: Readonly<Record<string, LocalSite>>;
  readonly signal?: AbortSignal;
}

/** An open cluster; `close` disconnects, and ends what was started for it. */
export interface OpenedCluster {
  readonly cluster: GraphCluster;
  close(): Promise<void>;
}

export type ClusterOpener = (options: OpenClusterOptions) => Promise<OpenedCluster>;

/**
 * Owns the opening of a cluster for a command: a running scheduler's, or one started on this machine. The
 * command line passes it on as the service `openCluster`. Must not know: what the cluster is used for.
 */
import { type ClusterOpener, connect } from '../scheduler/index.ts';
import { readToken } from './config.ts';
import { LocalCluster } from './local-cluster.ts';
import { ownModules, versionsOf } from './module-digest.ts';
import { securedTransport } from './tls-options.ts';

export const openCluster: ClusterOpener = async ({ scheduler, tokenFile, sites, signal }) => {
  const wait = signal === undefined ? {} : { signal };
  if (scheduler !== undefined) {
    const token = await readToken(tokenFile);
    const { transport } = await securedTransport({}, (line) => process.stderr.write(`asperitas: ${line}\n`));
    // The commands count on what their own version of the tasks computes.
    const { byName: modules } = await versionsOf(ownModules);
    const cluster = await connect(scheduler, { token, transport, modules, ...wait });
    return { cluster, close: () => cluster.close() };
  }
  const cluster = await LocalCluster.start({ sites: sites ?? { local: {} }, ...wait });
  return { cluster, close: () => cluster.close() };
};

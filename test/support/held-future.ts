/** Futures without a cluster, for tests of what only looks at them. */
import { siteName, taskKey } from '../../runtime/index.ts';
import { type Future, futureOf } from '../../scheduler/task.ts';

export function heldFuture<T>(
  key: string,
  site: string | undefined,
  release = (): void => undefined,
): Future<T> {
  return futureOf<T>({
    key: taskKey(key),
    status: 'held',
    done: true,
    bytes: 1,
    site: site === undefined ? undefined : siteName(site),
    result: () => Promise.reject(new Error('no cluster')),
    cancel: () => undefined,
    release,
    [Symbol.dispose]: release,
  });
}

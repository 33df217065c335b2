/**
 * Waits for something to become true in a world of threads, sockets and disks, where no event tells.
 */

/** Looks every few milliseconds; gives up, with an error that names what was awaited, after half a minute. */
export async function until(what: string, isTrue: () => boolean): Promise<void> {
  for (let tries = 0; tries < 3000; tries++) {
    if (isTrue()) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(`waited in vain: ${what}`);
}

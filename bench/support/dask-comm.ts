/**
 * Owns the rate at which Dask's own communication layer moves bytes between two Python processes over
 * loopback. Must not know: what it is compared with.
 */
import { spawnSync } from 'node:child_process';

const program = `
import asyncio, json, statistics, subprocess, sys, time
from distributed.comm import CommClosedError, connect, listen
from distributed.protocol import to_serialize
async def serve(size):
    data = bytes(size)
    async def handle(comm):
        try:
            while True:
                await comm.read()
                await comm.write({"data": to_serialize(data)})
        except CommClosedError:
            pass
    async with listen("tcp://127.0.0.1:0", handle) as listener:
        print(listener.contact_address, flush=True)
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
async def fetch(size, repeats):
    child = subprocess.Popen([sys.executable, "-c", sys.argv[1], sys.argv[1], "serve", str(size), "0"],
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    comm = await connect(child.stdout.readline().strip())
    rates = []
    for repeat in range(repeats + 1):
        started = time.perf_counter()
        await comm.write({"op": "get"})
        answer = await comm.read()
        seconds = time.perf_counter() - started
        assert len(answer["data"]) == size
        if repeat > 0:
            rates.append(size / 1e6 / seconds)
    await comm.close()
    child.stdin.close()
    print(json.dumps([statistics.median(rates), max(rates)]))
if __name__ == "__main__":
    size, repeats = int(sys.argv[3]), int(sys.argv[4])
    asyncio.run(serve(size) if sys.argv[2] == "serve" else fetch(size, repeats))
`;

/** Median and best MB/s of messages of this size, the first of which is not counted. */
export function daskRates(python: string, bytes: number, repeats: number): [median: number, best: number] {
  const { stdout, stderr, status } = spawnSync(
    python,
    ['-c', program, program, 'fetch', String(bytes), String(repeats)],
    { encoding: 'utf8' },
  );
  if (status !== 0) throw new Error(`${python} could not run Dask: ${stderr.slice(-2000)}`);
  return JSON.parse(stdout) as [number, number];
}

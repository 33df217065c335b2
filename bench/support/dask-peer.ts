/**
 * Owns a Dask cluster as a peer: a Python process with two workers of one thread each, which runs the graphs
 * that it is told and says how long each took and what came out. Must not know: what it is compared with.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface, type Interface } from 'node:readline';

const program = `
import json, sys, time, distributed
from distributed import Client, LocalCluster, as_completed
from dask import delayed
one = delayed(lambda value: value + 1, pure=False)
total = delayed(lambda values: sum(values), pure=False)
def inc(value):
    return value + 1
def compute(client, lazy):
    return client.compute(lazy, optimize_graph=False).result()
def merge(client, size, salt):
    return compute(client, total([one(k + salt) for k in range(size)]))
def tree(client, size, salt):
    level = [total([2 * k + salt, 2 * k + 1 + salt]) for k in range(size)]
    while len(level) > 1:
        level = [total(level[k:k + 2]) for k in range(0, len(level), 2)]
    return compute(client, level[0])
def sequential(client, size, salt):
    return sum(client.submit(inc, k + salt, pure=False).result() for k in range(size))
def first(client, size, salt):
    futures = client.map(inc, [k + salt for k in range(size)], pure=False)
    value = next(iter(as_completed(futures))).result()
    client.cancel(futures)
    return 1 if salt < value <= salt + size else 0
if __name__ == "__main__":
    with LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None) as cluster:
        with Client(cluster) as client:
            print(json.dumps({"version": distributed.__version__}), flush=True)
            for line in sys.stdin:
                order = json.loads(line)
                run = {"merge": merge, "tree": tree, "sequential": sequential, "first": first}[order["shape"]]
                started = time.perf_counter()
                value = run(client, order["size"], order["salt"])
                print(json.dumps({"ms": 1000 * (time.perf_counter() - started), "value": value}), flush=True)
`;

export interface PeerAnswer {
  readonly ms: number;
  readonly value: number;
}

export class DaskPeer {
  readonly version: string;
  readonly pid: number;
  readonly #child: ChildProcess;
  readonly #answers: AsyncIterator<string>;

  private constructor(child: ChildProcess, answers: AsyncIterator<string>, version: string) {
    this.#child = child;
    this.#answers = answers;
    this.pid = child.pid!;
    this.version = version;
  }

  /** Starts it with this Python. Rejects when that has no Dask. */
  static async start(python: string): Promise<DaskPeer> {
    const child = spawn(python, ['-c', program], { stdio: ['pipe', 'pipe', 'pipe'] });
    let said = '';
    child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      said = (said + text).slice(-2000);
    });
    const lines: Interface = createInterface({ input: child.stdout! });
    const answers = lines[Symbol.asyncIterator]();
    const first = await answers.next();
    if (first.done === true) throw new Error(`${python} could not run Dask: ${said}`);
    return new DaskPeer(child, answers, (JSON.parse(first.value) as { version: string }).version);
  }

  async run(shape: string, size: number, salt: number): Promise<PeerAnswer> {
    this.#child.stdin!.write(`${JSON.stringify({ shape, size, salt })}\n`);
    const answer = await this.#answers.next();
    if (answer.done === true) throw new Error(`Dask ended during ${shape}`);
    return JSON.parse(answer.value) as PeerAnswer;
  }

  async close(): Promise<void> {
    const ended = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#child.stdin!.end();
    await ended;
  }
}

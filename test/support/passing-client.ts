/** A process that is a client for a while, for tests of what is left of it: `node passing-client.js URL TOKEN
 * MODE`, where the mode says how it takes its leave. It never ends itself. */
import { connect } from '../../scheduler/index.ts';
import { inc } from './nested-tasks.ts';
import { range } from './test-tasks.ts';

const [, , url = '', token = '', mode = ''] = process.argv;
const cluster = await connect(url, { token });
const futures = cluster.map(inc, [1, 2, 3, 4, 5]);
const large = cluster.map(range, [200_000, 200_001, 200_002, 200_003, 200_004, 200_005]);
const values = await cluster.gather(futures);
for (const future of large) await future.result();
process.stdout.write(`${values.join(' ')}\n`);
if (mode === 'close') await cluster.close();
if (mode === 'kill') process.kill(process.pid, 'SIGKILL');
// Else it just waits for nothing any more.

/**
 * A client in a process of its own that counts up a file under a lock, then says so; with `hold` it takes the
 * lock and keeps it until it is killed: `node coordinating-client.js URL TOKEN FILE TIMES|hold`.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from '../../scheduler/index.ts';

const [url, token, file, times] = process.argv.slice(2);
const cluster = await connect(url!, { token: token! });
const lock = cluster.lock('counter');
if (times === 'hold') {
  await lock.acquire();
  process.stdout.write('held\n');
  await sleep(600_000);
}
for (let turn = 0; turn < Number(times); turn++) {
  await lock.run(async () => {
    const count = Number(readFileSync(file!, 'utf8'));
    // Others run meanwhile: without the lock their counts would be lost.
    await sleep(1);
    writeFileSync(file!, String(count + 1));
  });
}
await cluster.close();
process.stdout.write('counted\n');

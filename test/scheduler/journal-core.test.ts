/** What is recorded, and what a new scheduler makes of it: events in, instructions out. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clientId, nodeId, runId, taskKey } from '../../runtime/index.ts';
import { snapshotOf } from '../../scheduler/journal-core.ts';
import { decodeRecord, encodeRecord, type JournalRecord } from '../../scheduler/journal-records.ts';
import { handle } from '../../scheduler/scheduler-core.ts';
import { me, spec, World } from './world.ts';

/** A world that keeps its records as a journal would. */
class RecordedWorld extends World {
  readonly journal: Uint8Array[] = [];
  readonly accepted: number[] = [];

  override feed(event: Parameters<World['feed']>[0]) {
    const out = super.feed(event);
    for (const instruction of out) {
      if (instruction.type === 'record') this.journal.push(encodeRecord(instruction.record));
      if (instruction.type !== 'notify' || instruction.message.type !== 'accepted') continue;
      this.accepted.push(instruction.message.through);
    }
    return out;
  }

  /** The scheduler that comes after this one. */
  successor(records: readonly Uint8Array[] = this.journal): RecordedWorld {
    const next = new RecordedWorld();
    next.now = this.now;
    for (const bytes of records) {
      // A snapshot is not whole before its end.
      handle(next.state, { type: 'record-replayed', record: decodeRecord(bytes) }, next.now);
    }
    next.feed({ type: 'journal-replayed' });
    assert.deepEqual(next.journal, [], 'nothing is recorded twice');
    return next;
  }

  snapshot(): Uint8Array[] {
    return Array.from(snapshotOf(this.state), encodeRecord);
  }

  phases(): Record<string, string> {
    return Object.fromEntries([...this.state.tasks].map(([key, { phase }]) => [key, phase.name]));
  }

  /** A node of the journal is there again and says what it has. */
  back(name: string, { holds = [], runs = {} }: { holds?: string[]; runs?: Record<string, number> } = {}) {
    const said = this.join(name, { announces: true });
    for (const key of holds) {
      said.push(...this.node(name, { type: 'replica-added', key: taskKey(key), bytes: 8 }));
    }
    for (const [key, run] of Object.entries(runs)) {
      const about = { key: taskKey(key), run: runId(run), started: true };
      said.push(...this.node(name, { type: 'run-announced', ...about }));
    }
    return [...said, ...this.node(name, { type: 'announced' })];
  }

  rejoin(id = me): string[] {
    return this.tell({ type: 'client-joined', client: id });
  }
}

test('a new scheduler knows what is wanted, and of whom', () => {
  const world = new RecordedWorld();
  world.submit([spec('x'), spec('y', ['x'])], 'y');
  world.submit([spec('z')], 'z');
  world.release('z');
  assert.deepEqual(world.successor().phases(), { x: 'ready', y: 'waiting' });
});

test('what nodes hold is not made again, and what they run goes on', () => {
  const world = new RecordedWorld();
  world.join('a1', { announces: true, threads: 2 });
  world.node('a1', { type: 'announced' });
  world.submit([spec('x'), spec('y', ['x']), spec('z', ['y'])], 'x', 'z');
  world.done('x');
  const { run } = world.runOf('y');
  const next = world.successor();
  assert.deepEqual(next.rejoin(), []);
  assert.deepEqual(next.back('a1', { holds: ['x'], runs: { y: run } }), ['held x on a1']);
  assert.deepEqual(next.done('y'), ['a1: compute z']);
});

test('nothing is placed before the nodes of the journal have said what they have', () => {
  const world = new RecordedWorld();
  world.back('a1');
  world.back('b1');
  world.submit([spec('x')], 'x');
  const holder = world.runOf('x').node;
  world.done('x');
  const next = world.successor();
  const other = holder === 'a1' ? 'b1' : 'a1';
  assert.deepEqual(next.back(other), []);
  next.rejoin();
  assert.deepEqual(next.back(holder, { holds: ['x'] }), [`held x on ${holder}`]);
});

test('nodes that do not come back are waited for only a short while', () => {
  const world = new RecordedWorld();
  world.back('a1');
  world.back('b1');
  world.submit([spec('x')], 'x');
  const next = world.successor();
  assert.deepEqual(next.back('b1'), []);
  assert.deepEqual(next.pass(3), []);
  assert.deepEqual(next.pass(1), ['b1: compute x']);
  assert.deepEqual([...next.state.nodes.keys()], ['b1']);
});

test('a scheduler whose journal knows no nodes waits for none', () => {
  const world = new RecordedWorld();
  world.back('a1');
  world.submit([spec('x')], 'x');
  world.lose('a1');
  assert.deepEqual(world.successor().back('c1'), ['c1: compute x']);
});

test('an intent is accepted when its record is durable, with those before it', () => {
  const world = new RecordedWorld();
  world.submit([spec('x')], 'x');
  world.submit([spec('y')], 'y');
  world.release('x');
  assert.deepEqual(world.accepted, []);
  world.feed({ type: 'recorded', through: world.state.records - 1 });
  assert.deepEqual(world.accepted, [2]);
  world.feed({ type: 'recorded', through: world.state.records });
  assert.deepEqual(world.accepted, [2, 3]);
});

test('a client that comes back hears how much of what it said is known', () => {
  const world = new RecordedWorld();
  world.submit([spec('x')], 'x');
  world.release('x');
  const welcome = (from: RecordedWorld, client = me) => {
    const said = from.feed({ type: 'client-joined', client }).find(({ type }) => type === 'notify');
    return (said as { message: object }).message;
  };
  assert.deepEqual(welcome(world.successor()), { type: 'welcome', epoch: 0, known: true, heard: 2 });
  // The last record was lost: the client will say it again.
  const torn = world.successor(world.journal.slice(0, -1));
  assert.deepEqual(welcome(torn), { type: 'welcome', epoch: 0, known: true, heard: 1 });
  const stranger = clientId('stranger');
  assert.deepEqual(welcome(torn, stranger), { type: 'welcome', epoch: 0, known: false, heard: 0 });
});

test('a client that does not come back is forgotten after a while, and what it wanted', () => {
  const world = new RecordedWorld();
  world.submit([spec('x')], 'x');
  const next = world.successor();
  next.state.clients.get(me)!.broken = true;
  next.pass(17);
  assert.deepEqual(next.phases(), {});
  assert.deepEqual(next.successor([...world.journal, ...next.journal]).phases(), {});
});

test('what has failed stays failed, with its error, until it is asked for anew', () => {
  const world = new RecordedWorld();
  world.back('a1');
  world.submit([spec('x'), spec('y', ['x'])], 'y');
  world.failed('x', 'boom');
  const next = world.successor();
  assert.deepEqual(next.phases(), { x: 'released', y: 'failed' });
  next.rejoin();
  assert.deepEqual(next.client({ type: 'recall', keys: [taskKey('y')] }), ['failed y: boom by x']);
  next.back('a1');
  assert.deepEqual(next.submit([spec('x'), spec('y', ['x'])], 'y'), ['a1: compute x']);
});

test('a recall tells what there is to tell, also that something is wanted no longer', () => {
  const world = new RecordedWorld();
  world.back('a1');
  world.submit([spec('x'), spec('y')], 'x', 'y');
  world.done('x');
  const keys = ['x', 'y', 'z'].map(taskKey);
  assert.deepEqual(world.client({ type: 'recall', keys }), ['held x on a1', 'failed z: unknown-input']);
});

test('a task that was only to run to its end is not run again', () => {
  const world = new RecordedWorld();
  world.back('a1');
  world.submit([spec('x')], 'x');
  world.client({ type: 'forget', keys: [taskKey('x')] });
  world.release('x');
  assert.deepEqual(world.successor().phases(), { x: 'ready' });
  world.done('x');
  assert.deepEqual(world.successor().phases(), {});
});

test('a submission of which more is to come goes on with the next scheduler', () => {
  const world = new RecordedWorld();
  world.client({ type: 'submit', tasks: [spec('x')], wants: [], more: true });
  const next = world.successor();
  next.rejoin();
  next.submit([spec('y', ['x'])], 'y');
  assert.deepEqual(next.phases(), { x: 'ready', y: 'waiting' });
});

/** A world with something of everything. */
function motley(): RecordedWorld {
  const world = new RecordedWorld();
  world.back('a1');
  world.submit([spec('x'), spec('y', ['x']), spec('z', ['y'])], 'x', 'z');
  world.done('x');
  world.submit([spec('bad'), spec('worse', ['bad'])], 'worse');
  world.node('a1', { type: 'retiring' });
  world.client({ type: 'submit', tasks: [spec('p')], wants: [], more: true });
  world.client({ type: 'submit', tasks: [spec('q')], wants: [taskKey('q')] }, clientId('other'));
  world.client({
    type: 'publish',
    request: 1,
    name: 'set',
    value: { keys: [taskKey('x')], shape: new Uint8Array(0) },
  });
  return world;
}

test('a snapshot stands for the whole journal', () => {
  const world = motley();
  const [long, short] = [world.successor(), world.successor(world.snapshot())];
  assert.deepEqual(short.phases(), long.phases());
  assert.deepEqual([...short.state.datasets.keys()], ['set']);
  const wants = ({ state }: World) =>
    [...state.clients].map(([id, client]) => [
      id,
      client.heard,
      [...client.wants].map(({ spec: { key } }) => key),
      [...client.announced].map(({ spec: { key } }) => key),
    ]);
  assert.deepEqual(wants(short), wants(long));
});

test('a snapshot may be read while the state goes on changing, if what is recorded meanwhile follows', () => {
  for (let pause = 0; pause < 12; pause++) {
    const world = motley();
    const begun = world.journal.length;
    const snapshot: Uint8Array[] = [];
    let step = 0;
    for (const record of snapshotOf(world.state) as Iterable<JournalRecord>) {
      if (step++ === pause) {
        world.release('z');
        world.submit([spec('late', ['x'])], 'late');
        world.client({ type: 'cancel', keys: [taskKey('q')] }, clientId('other'));
        world.client({ type: 'unpublish', request: 2, name: 'set' });
      }
      snapshot.push(encodeRecord(record));
    }
    if (step <= pause) break;
    const next = world.successor([...snapshot, ...world.journal.slice(begun)]);
    assert.deepEqual(next.phases(), world.successor().phases(), `after ${pause} records`);
    assert.equal(next.state.datasets.size, 0);
  }
});

test('a record of another version is told from one that can be followed', () => {
  assert.throws(() => decodeRecord(encodeRecord({ type: 'dance' } as never)), { code: 'invalid-message' });
  const said = { type: 'said', client: me, heard: 1, message: { type: 'jump' } };
  assert.throws(() => decodeRecord(encodeRecord(said as never)), { code: 'invalid-message' });
});

test('nodes come and go in the journal too', () => {
  const world = new RecordedWorld();
  world.back('a1');
  world.back('b1');
  world.lose('b1');
  assert.deepEqual([...world.successor().state.nodes.keys()], [nodeId('a1')]);
});

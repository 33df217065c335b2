/** Locks, semaphores, events, variables, queues, topics in the scheduler's core: wishes in, answers out. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ClientId, clientId, millis, nodeId, taskKey } from '../../runtime/index.ts';
import { snapshotOf } from '../../scheduler/journal-core.ts';
import type { Instruction } from '../../scheduler/scheduler-state.ts';
import { spec, World } from './world.ts';

type Told = Extract<Instruction, { readonly type: 'notify' }>;
const bytes = (text: string): { keys: []; shape: Uint8Array } => ({ keys: [], shape: Buffer.from(text) });

/** Clients by their names, who ask and hear in short words. */
class Table extends World {
  #wishes = new Map<string, number>();

  /** `ann.7 granted` for each answer. */
  heard(instructions: readonly Instruction[]): string[] {
    return instructions
      .filter((one): one is Told => one.type === 'notify')
      .flatMap(({ client, message }) => {
        if (message.type === 'topic-said') {
          return [`${client}.${message.wish} hears ${message.count} ${Buffer.from(message.value.shape)}`];
        }
        if (message.type !== 'wish-answered')
          return ['progress', 'welcome'].includes(message.type) ? [] : [`${client} ${message.type}`];
        const { wish, outcome, problem, value, count } = message;
        const more = [problem?.code, value && Buffer.from(value.shape).toString(), count]
          .filter((one) => one !== undefined && one !== '')
          .map((one) => ` ${one}`);
        return [`${client}.${wish} ${outcome}${more.join('')}`];
      });
  }

  present(name: string): ClientId {
    const id = clientId(name);
    if (!this.state.clients.has(id)) this.feed({ type: 'client-joined', client: id });
    return id;
  }

  /** A client asks with the next of its numbers, or with one that the request brings. */
  ask(name: string, request: Record<string, unknown>): string[] {
    const client = this.present(name);
    const wish = (this.#wishes.get(name) ?? 0) + 1;
    if (request.wish === undefined) this.#wishes.set(name, wish);
    const message = { wish, seen: [], name: 'x', ...request };
    return this.heard(this.feed({ type: 'from-client', client, message: message as never }));
  }

  lock(name: string, more: object = {}): string[] {
    return this.ask(name, { type: 'take-lease', kind: 'lock', leases: 1, wait: true, ...more });
  }

  put(name: string, text: string, more: object = {}): string[] {
    return this.ask(name, { type: 'put-in-queue', value: bytes(text), limit: 2, wait: true, ...more });
  }

  take(name: string, more: object = {}): string[] {
    return this.ask(name, { type: 'take-from-queue', limit: 2, wait: true, ...more });
  }

  end(name: string, wish: number): string[] {
    return this.ask(name, { type: 'end-wish', wish });
  }

  withdraw(name: string, wish: number): string[] {
    return this.ask(name, { type: 'withdraw-wish', wish });
  }

  leave(name: string): string[] {
    return this.heard(this.feed({ type: 'client-lost', client: clientId(name) }));
  }

  return(name: string): string[] {
    return this.heard(this.feed({ type: 'client-joined', client: clientId(name) }));
  }

  wait(ms: number): string[] {
    const heard: string[] = [];
    // In steps, or the scheduler would think that it slept.
    for (let left = ms; left > 0; left -= 1000) {
      this.now = millis(this.now + Math.min(left, 1000));
      heard.push(...this.heard(this.feed({ type: 'ticked' })));
    }
    return heard;
  }

  get things(): string[] {
    return [...this.state.coordination.things.keys()];
  }
}

test('a lock goes to one after the other, in the order of asking', () => {
  const table = new Table();
  assert.deepEqual(table.lock('ann'), ['ann.1 granted']);
  assert.deepEqual(table.lock('bob'), []);
  assert.deepEqual(table.lock('cid'), []);
  assert.deepEqual(table.end('ann', 1), ['bob.1 granted']);
  assert.deepEqual(table.lock('ann'), []);
  assert.deepEqual(table.end('bob', 1), ['cid.1 granted']);
  assert.deepEqual(table.end('cid', 1), ['ann.2 granted']);
  assert.deepEqual(table.end('ann', 2), []);
  assert.deepEqual(table.things, [], 'a lock that nobody has is forgotten');
});

test('a semaphore has several leases; who does not want to wait is refused at once', () => {
  const table = new Table();
  const two = { kind: 'semaphore', leases: 2 };
  assert.deepEqual(table.lock('ann', two), ['ann.1 granted']);
  assert.deepEqual(table.lock('ann', two), ['ann.2 granted']);
  assert.deepEqual(table.lock('bob', { ...two, wait: false }), ['bob.1 refused']);
  assert.deepEqual(table.lock('bob', two), []);
  assert.deepEqual(table.lock('cid', { ...two, leases: 3 }), ['cid.1 refused other-limit']);
  assert.deepEqual(table.lock('cid'), ['cid.2 granted'], 'a lock of the same name is another thing');
  assert.deepEqual(table.end('ann', 2), ['bob.2 granted']);
});

test('a wish that is withdrawn leaves its place; one that was granted first is not taken back', () => {
  const table = new Table();
  table.lock('ann');
  table.lock('bob');
  table.lock('cid');
  assert.deepEqual(table.withdraw('bob', 1), ['bob.1 withdrawn']);
  assert.deepEqual(table.end('ann', 1), ['cid.1 granted']);
  assert.deepEqual(table.withdraw('cid', 1), [], 'the answer is under way');
  assert.deepEqual(table.lock('ann'), []);
  assert.deepEqual(table.end('cid', 1), ['ann.2 granted']);
  assert.deepEqual(table.withdraw('bob', 1), [], 'nor twice');
});

test('a client that is gone for good gives back what it holds, after the grace', () => {
  const table = new Table();
  table.lock('ann');
  table.lock('bob');
  assert.deepEqual(table.leave('ann'), []);
  assert.deepEqual(table.wait(4000), [], 'it may come back');
  assert.deepEqual(table.wait(2000), ['bob.1 granted']);
});

test('a client that comes back in time keeps its leases and its place, and hears the answer again', () => {
  const table = new Table();
  table.lock('ann');
  table.lock('bob');
  table.lock('cid');
  table.leave('ann');
  table.leave('bob');
  table.wait(3000);
  table.return('ann');
  assert.deepEqual(table.lock('ann', { wish: 1 }), ['ann.1 granted'], 'asked again it hears the same');
  assert.deepEqual(table.end('ann', 1), ['cid.1 granted'], 'one that is cut off is passed over');
  assert.deepEqual(table.end('cid', 1), []);
  assert.deepEqual(table.return('bob'), ['bob.1 granted'], 'but keeps its place');
  assert.deepEqual(table.ask('bob', { type: 'resume-wishes', live: [] }), []);
  assert.deepEqual(table.things, [], 'what it does not remember is given back');
});

test('a lease of a former life is had again unless another has it', () => {
  const table = new Table();
  assert.deepEqual(table.lock('ann', { again: true }), ['ann.1 granted']);
  assert.deepEqual(table.lock('bob'), []);
  assert.deepEqual(table.lock('cid', { again: true }), ['cid.1 lost']);
});

test('after a restart no lease is free until all known clients have said what they hold, or are gone', () => {
  const table = new Table();
  for (const name of ['ann', 'bob', 'cid']) table.present(name);
  for (const name of ['ann', 'bob', 'cid']) table.leave(name);
  table.feed({ type: 'journal-replayed' });
  table.return('bob');
  const resume = (name: string) => table.ask(name, { type: 'resume-wishes', live: [1] });
  assert.deepEqual(resume('bob'), []);
  assert.deepEqual(table.lock('bob'), [], 'ann may have it');
  assert.deepEqual(table.lock('bob', { wait: false }), ['bob.3 refused']);
  table.return('ann');
  assert.deepEqual(table.lock('ann', { again: true }), ['ann.1 granted']);
  assert.deepEqual(resume('ann'), []);
  assert.deepEqual(table.end('ann', 1), [], 'cid may have it');
  assert.deepEqual(table.wait(20_000), ['bob.2 granted'], 'but does not come');
});

test('a queue gives in order, lets puts wait for room and takes wait for items', () => {
  const table = new Table();
  assert.deepEqual(table.put('ann', 'a'), ['ann.1 granted']);
  assert.deepEqual(table.put('ann', 'b'), ['ann.2 granted']);
  assert.deepEqual(table.put('ann', 'c'), [], 'full');
  assert.deepEqual(table.put('bob', 'd', { wait: false }), ['bob.1 refused']);
  assert.deepEqual(table.put('bob', 'e'), []);
  assert.deepEqual(table.take('cid'), ['cid.1 granted a', 'ann.3 granted']);
  assert.deepEqual(table.ask('cid', { type: 'count-queue' }), ['cid.2 granted 2']);
  assert.deepEqual(table.take('cid'), ['cid.3 granted b', 'bob.2 granted']);
  assert.deepEqual(table.take('cid'), ['cid.4 granted c']);
  assert.deepEqual(table.take('cid'), ['cid.5 granted e']);
  assert.deepEqual(table.take('cid', { wait: false }), ['cid.6 refused']);
  assert.deepEqual(table.take('cid'), []);
  assert.deepEqual(table.take('bob'), []);
  assert.deepEqual(table.put('ann', 'f'), ['ann.4 granted', 'cid.7 granted f']);
  assert.deepEqual(table.put('ann', 'g', { limit: 5 }), ['ann.5 refused other-limit']);
  assert.deepEqual(table.withdraw('bob', 3), ['bob.3 withdrawn']);
  assert.deepEqual(table.things, []);
});

test('an item whose answer was lost is given again, not another, until it is known to have come', () => {
  const table = new Table();
  table.put('ann', 'a');
  table.put('ann', 'b');
  assert.deepEqual(table.take('bob'), ['bob.1 granted a']);
  assert.deepEqual(table.take('bob', { wish: 1 }), ['bob.1 granted a']);
  assert.deepEqual(table.put('ann', 'a', { wish: 1 }), ['ann.1 granted'], 'nor is it put twice');
  assert.deepEqual(table.take('bob', { seen: [1] }), ['bob.2 granted b']);
  assert.equal(table.state.coordination.asked.get(clientId('bob'))!.size, 1);
});

test('what waits in a queue is not given to one that is cut off, nor lost with one that put it', () => {
  const table = new Table();
  table.take('ann');
  table.take('bob');
  table.leave('ann');
  assert.deepEqual(table.put('cid', 'a'), ['cid.1 granted', 'bob.1 granted a']);
  table.put('cid', 'b');
  table.leave('cid');
  table.wait(6000);
  assert.deepEqual(table.take('bob'), ['bob.2 granted b']);
  table.put('bob', 'c');
  table.leave('bob');
  table.wait(6000);
  assert.deepEqual(table.things, [], 'with its last user it is forgotten');
  assert.equal(table.state.coordination.asked.size, 0);
});

test('a large value is refused, and bytes are a reason to wait too', () => {
  const table = new Table();
  assert.deepEqual(table.put('ann', 'a'.repeat(300_000)), ['ann.1 refused value-too-large']);
  const many = { limit: 10_000 };
  const large = 'a'.repeat(250_000);
  let put = 0;
  while (table.put('bob', large, many).length > 0) put++;
  assert.ok(put > 100 && put < 1000, `${put} were let in`);
  assert.match(table.take('ann', many).join(), /^ann.2 granted a+,bob.\d+ granted$/);
});

test('a variable is waited for, changed and cleared; an event is a variable of nothing', () => {
  const table = new Table();
  const kind = 'variable';
  const read = (name: string, wait = true) => table.ask(name, { type: 'read-board', kind, wait });
  assert.deepEqual(read('ann', false), ['ann.1 refused']);
  assert.deepEqual(read('ann'), []);
  assert.deepEqual(read('bob'), []);
  const show = (text: string) => table.ask('cid', { type: 'show-on-board', kind, value: bytes(text) });
  assert.deepEqual(show('one'), ['cid.1 granted', 'ann.2 granted one', 'bob.1 granted one']);
  assert.deepEqual(show('two'), ['cid.2 granted']);
  assert.deepEqual(read('ann', false), ['ann.3 granted two']);
  assert.deepEqual(table.ask('ann', { type: 'clear-board', kind }), ['ann.4 granted']);
  assert.deepEqual(table.things, []);
  assert.deepEqual(read('ann', false), ['ann.5 refused']);
});

test('a topic goes to all who follow it, with numbers that tell what was missed', () => {
  const table = new Table();
  const say = (text: string) => table.ask('ann', { type: 'say-on-topic', value: bytes(text) });
  assert.deepEqual(say('nobody hears'), ['ann.1 granted 0']);
  assert.deepEqual(table.ask('bob', { type: 'follow-topic' }), ['bob.1 granted 0']);
  assert.deepEqual(table.ask('cid', { type: 'follow-topic' }), ['cid.1 granted 0']);
  assert.deepEqual(say('hi'), ['bob.1 hears 1 hi', 'cid.1 hears 1 hi', 'ann.2 granted 2']);
  table.leave('bob');
  assert.deepEqual(say('ho'), ['cid.1 hears 2 ho', 'ann.3 granted 2']);
  table.return('bob');
  assert.deepEqual(say('hu'), ['bob.1 hears 3 hu', 'cid.1 hears 3 hu', 'ann.4 granted 2']);
  table.end('bob', 1);
  assert.deepEqual(say('he'), ['cid.1 hears 4 he', 'ann.5 granted 1']);
  const future = { keys: [taskKey('t')], shape: new Uint8Array() };
  assert.deepEqual(table.ask('ann', { type: 'say-on-topic', value: future }), [
    'ann.6 refused no-futures-on-topics',
  ]);
});

/** A world in which `t` is held for ann. */
function withResult(): Table {
  const table = new Table();
  table.join('a1');
  const ann = table.present('ann');
  table.client({ type: 'submit', tasks: [spec('t')], wants: [taskKey('t')] }, ann);
  table.done('t');
  return table;
}
const future = { keys: [taskKey('t')], shape: Buffer.from('t') };

/** Wants the result of an answer, then says so, as a client does with every future that it gets. */
function claim(table: Table, name: string, wish: number): string[] {
  const submit = { type: 'submit', tasks: [], wants: [taskKey('t')] } as const;
  return [...table.client(submit, clientId(name)), ...table.end(name, wish)];
}
const release = (table: Table, name: string) =>
  table.client({ type: 'release', keys: [taskKey('t')] }, clientId(name));

test('a future in a queue keeps its result alive until its taker wants it', () => {
  const table = withResult();
  table.put('ann', '', { value: future });
  release(table, 'ann');
  assert.deepEqual(table.take('bob'), ['bob.1 granted t']);
  assert.ok(table.state.tasks.has(taskKey('t')), 'kept for the answer');
  assert.deepEqual(claim(table, 'bob', 1), ['held t on a1']);
  assert.deepEqual([...table.state.tasks.get(taskKey('t'))!.wantedBy], [clientId('bob')]);
  release(table, 'bob');
  assert.equal(table.state.tasks.size, 0);
  assert.deepEqual([...table.state.clients.keys()].sort(), ['ann', 'bob'], 'its keepers are gone');
});

test('what waits here goes with its scheduler: no journal keeps its keepers', () => {
  const table = withResult();
  table.put('ann', '', { value: future });
  const keepers = [...table.state.clients.keys()].filter((id) => id.startsWith('#'));
  assert.equal(keepers.length, 1);
  const records = JSON.stringify([...snapshotOf(table.state)]);
  assert.ok(records.includes('ann') && !records.includes(keepers[0]!));
});

test('a taker that is lost before it wants the result does not keep it', () => {
  const table = withResult();
  table.put('ann', '', { value: future });
  release(table, 'ann');
  table.take('bob');
  table.leave('bob');
  table.wait(6000);
  assert.equal(table.state.tasks.size, 0);
});

test('a future on a variable is had by all who read, until it is changed; unknown ones are refused', () => {
  const table = withResult();
  const show = (value: unknown) => table.ask('ann', { type: 'show-on-board', kind: 'variable', value });
  show(future);
  release(table, 'ann');
  const read = { type: 'read-board', kind: 'variable', wait: true };
  assert.deepEqual(table.ask('bob', read), ['bob.1 granted t']);
  claim(table, 'bob', 1);
  release(table, 'bob');
  assert.deepEqual(table.ask('cid', read), ['cid.1 granted t']);
  show(bytes('none'));
  assert.ok(table.state.tasks.has(taskKey('t')), 'kept for the answer');
  claim(table, 'cid', 1);
  release(table, 'cid');
  assert.equal(table.state.tasks.size, 0);
  assert.deepEqual(show(future), ['ann.3 refused unknown-input']);
  assert.deepEqual(table.ask('cid', read), ['cid.2 granted none'], 'what was shown before stays');
});

test('a result on a variable that is lost with its node is made again', () => {
  const table = withResult();
  table.ask('ann', { type: 'show-on-board', kind: 'variable', value: future });
  release(table, 'ann');
  table.tell({ type: 'node-lost', node: nodeId('a1'), reason: 'killed' });
  table.join('a2');
  assert.deepEqual(table.state.tasks.get(taskKey('t'))!.phase.name, 'assigned');
  table.done('t');
  assert.deepEqual(table.ask('bob', { type: 'read-board', kind: 'variable', wait: true }), [
    'bob.1 granted t',
  ]);
  assert.deepEqual(claim(table, 'bob', 1), ['held t on a2']);
});

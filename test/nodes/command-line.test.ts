/** How the words of a command are read, and what `--help` says. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { helpOf, parseWords } from '../../nodes/command-line.ts';
import type { Command } from '../../runtime/index.ts';

const command: Command = {
  name: 'look',
  summary: 'looks at things',
  usage: 'look THING [options]',
  options: {
    size: { type: 'string', words: [1, 2], value: 'N [M]', help: 'pixels: width and height' },
    weight: { type: 'string', words: [1, 2], value: 'W', help: 'natural, uniform or briggs [R]' },
    interval: { type: 'string', words: [2, 2], value: 'A B', help: 'time slots' },
    name: { type: 'string', short: 'n', value: 'NAME', help: 'a name' },
    module: { type: 'string', multiple: true, value: 'M', help: 'modules' },
    json: { type: 'boolean', help: 'print JSON' },
  },
  details: 'example:\n  look at.me',
  run: () => Promise.resolve(0),
};
const read = (...words: string[]) => parseWords(command, words);

test('options and arguments stand in any order', () => {
  const { args, options } = read('a.ms', '--json', '--name', 'x', 'b.ms', '--name=y');
  assert.deepEqual(args, ['a.ms', 'b.ms']);
  assert.deepEqual({ ...options }, { json: true, name: 'y' });
  assert.deepEqual({ ...read('-n', 'x').options }, { name: 'x' });
  assert.deepEqual({ ...read('-size', '64', '-json').options }, { size: ['64'], json: true });
});

test('an option of one or two words takes the second only if it is a number', () => {
  assert.deepEqual(read('--size', '512', 'a.ms').options.size, ['512']);
  assert.deepEqual(read('--size', '512', '256', 'a.ms').options.size, ['512', '256']);
  assert.deepEqual(read('--size', '512', '3c286.ms').args, ['3c286.ms']);
  assert.deepEqual(read('--weight', 'briggs', '-0.5', 'a.ms').options.weight, ['briggs', '-0.5']);
  assert.deepEqual(read('--weight', 'uniform', 'a.ms').args, ['a.ms']);
});

test('repeated options gather where they may be repeated', () => {
  assert.deepEqual(read('--module', 'a', '--module', 'b').options.module, ['a', 'b']);
});

test('a value may begin with a dash unless it is an option', () => {
  assert.equal(read('--name', '-x').options.name, '-x');
});

test('after -- everything is an argument', () => {
  assert.deepEqual(read('--', '--json', '-n').args, ['--json', '-n']);
});

test('a negative number is no option', () => {
  assert.deepEqual(read('-5').args, ['-5']);
  assert.deepEqual(read('--interval', '0', '-1').options.interval, ['0', '-1']);
});

test('what is wrong is said in one line, with the option', () => {
  const refused = (words: string[], about: RegExp): void => {
    assert.throws(() => read(...words), { code: 'usage', message: about });
  };
  refused(['--siz', '3'], /no option --siz \(did you mean --size\?\); see asperitas look --help/);
  refused(['-q'], /no option --q/);
  refused(['--name'], /--name wants NAME/);
  refused(['--name', '--json'], /--name wants NAME/);
  refused(['-name', '-json'], /--name wants NAME/);
  refused(['-n', '-n'], /--name wants NAME/);
  refused(['--name', ''], /--name wants NAME/);
  refused(['--name='], /--name wants NAME/);
  refused(['--interval', '3', '--json'], /--interval wants A B/);
  refused(['--json=yes'], /--json takes no value/);
  refused(['--__proto__', 'x'], /no option/);
});

test('help lists every option, and keeps examples on their own lines', () => {
  const text = helpOf(command);
  for (const name of Object.keys(command.options)) assert.ok(text.includes(`--${name}`), name);
  assert.match(text, /^usage: asperitas look THING/);
  assert.match(text, /^ {2}-n, --name NAME {2,}a name$/m);
  assert.match(text, /^example:\n {2}look at\.me$/m);
  assert.ok(text.split('\n').every((line) => line.length <= 100));
});

// Compiles every AssemblyScript kernel twice: with plain SIMD and with relaxed SIMD (fused multiply-add).
// The loader picks the relaxed build where the engine accepts it.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const sources = join(root, 'actors/imaging/kernels/assembly');
const target = join(root, 'dist/actors/imaging/kernels/assembly');
mkdirSync(target, { recursive: true });

/** A module is up to date when it is newer than every source beside it. */
function upToDate(output) {
  if (!existsSync(output)) return false;
  const made = statSync(output).mtimeMs;
  return readdirSync(sources).every((name) => statSync(join(sources, name)).mtimeMs < made);
}

for (const name of readdirSync(sources).filter((file) => file.endsWith('.as.ts'))) {
  for (const [build, flags] of [
    ['plain', []],
    ['relaxed', ['--enable', 'relaxed-simd', '--use', 'RELAXED=1']],
  ]) {
    const output = join(target, name.replace('.as.ts', `.${build}.wasm`));
    if (upToDate(output)) continue;
    execFileSync(
      process.execPath,
      [
        join(root, 'node_modules/assemblyscript/bin/asc.js'),
        join(sources, name),
        '--outFile',
        output,
        '-O3',
        '--noAssert',
        '--converge',
        '--runtime',
        'stub',
        '--importMemory',
        '--initialMemory',
        '2',
        '--enable',
        'simd,bulk-memory',
        ...flags,
      ],
      { stdio: 'inherit' },
    );
  }
}

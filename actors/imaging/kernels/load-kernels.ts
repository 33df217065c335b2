/**
 * Owns the loading of the WebAssembly kernels, once a thread: the build with fused multiply-add where the
 * engine takes it, the plain one elsewhere. The only file of the kernels that touches the disk. Must not
 * know: what the kernels compute.
 */
import { readFileSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import type { ImagingExports } from './kernel-exports.ts';

const modules: { relaxed: boolean; module: WebAssembly.Module }[] = [];

function compile(): { relaxed: boolean; module: WebAssembly.Module } {
  // Node.js 20 knows relaxed SIMD behind a flag, which may be set as long as it is before the compilation.
  if (Number(process.versions.node.split('.')[0]) < 22)
    setFlagsFromString('--experimental-wasm-relaxed-simd');
  const read = (build: string) => readFileSync(new URL(`./assembly/imaging.${build}.wasm`, import.meta.url));
  const relaxed = read('relaxed');
  if (WebAssembly.validate(relaxed)) return { relaxed: true, module: new WebAssembly.Module(relaxed) };
  return { relaxed: false, module: new WebAssembly.Module(read('plain')) };
}

/** A new instance of the kernels on `memory`; the module is compiled once a thread. */
export function instantiateKernels(memory: WebAssembly.Memory): ImagingExports {
  modules[0] ??= compile();
  const instance = new WebAssembly.Instance(modules[0].module, { env: { memory } });
  return instance.exports as unknown as ImagingExports;
}

/** Whether the kernels of this thread fuse multiply and add (their results then differ in the last bits). */
export function kernelsAreRelaxed(): boolean {
  modules[0] ??= compile();
  return modules[0].relaxed;
}

/**
 * Owns the few declarations of the global WebAssembly that the kernels' loader needs: Node.js has it, but
 * neither its types nor the ES library declare it.
 */
declare namespace WebAssembly {
  class Module {
    constructor(bytes: Uint8Array);
  }
  class Memory {
    readonly buffer: ArrayBuffer;
    constructor(descriptor: { initial: number; maximum?: number });
    grow(pages: number): number;
  }
  class Instance {
    readonly exports: Readonly<Record<string, unknown>>;
    constructor(module: Module, imports: { env: { memory: Memory } });
  }
  function validate(bytes: Uint8Array): boolean;
}

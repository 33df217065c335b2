/**
 * Holds the plain build of the kernels, which engines without relaxed SIMD take, to the same accuracy.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { kernelsAreRelaxed } from '../../../../actors/imaging/kernels/load-kernels.ts';
import { errorsOf, exactSums, griddingCases } from '../../../support/gridding.ts';

// An engine that refuses the relaxed build; each test file has a process of its own.
const engine = globalThis as unknown as { WebAssembly: { validate: () => boolean } };
engine.WebAssembly.validate = () => false;

for (const name of ['the whole sky', 'odd sizes', 'a narrow field']) {
  test(`the plain build keeps the asked accuracy: ${name}`, () => {
    assert.equal(kernelsAreRelaxed(), false);
    const one = griddingCases.find((candidate) => candidate.name === name)!;
    const exact = exactSums(one);
    for (const epsilon of [1e-2, 1e-3, 1e-4, 1e-5, 1e-6]) {
      const { image, prediction, adjointness } = errorsOf(one, exact, epsilon);
      assert.ok(image <= epsilon && prediction <= epsilon, `${image}, ${prediction} at ${epsilon}`);
      assert.ok(adjointness < (epsilon < 5e-6 ? 3e-8 : 5e-7), `adjoint at ${epsilon} but for ${adjointness}`);
    }
  });
}

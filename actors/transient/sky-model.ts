/**
 * Owns the model of the sky that is fitted to visibilities: sources, each a point or a rigid group of points
 * that shares one light curve. Directions are direction cosines from the phase centre. Must not know: images,
 * fluxes, where sources come from.
 */

/** A source: its shape and the slope of its spectrum within a band; its flux is fitted frame by frame. */
export interface ModelSource {
  /** `[component, 3]` l, m and share of the flux; the shares sum to 1. A point source has one component. */
  readonly components: Float64Array;
  /** S ~ f^index within a band. Between bands fluxes are free. */
  readonly spectralIndex: number;
}

/** A place on the sky as direction cosines. */
export interface Place {
  readonly l: number;
  readonly m: number;
}

export function pointSource({ l, m }: Place, spectralIndex = 0): ModelSource {
  return { components: Float64Array.of(l, m, 1), spectralIndex };
}

export function isPoint(source: ModelSource): boolean {
  return source.components.length === 3;
}

/** The mean place of a source's flux. */
export function placeOf({ components }: ModelSource): Place {
  let [l, m] = [0, 0];
  for (let k = 0; k < components.length; k += 3) {
    l += components[k]! * components[k + 2]!;
    m += components[k + 1]! * components[k + 2]!;
  }
  return { l, m };
}

/** The source moved as a whole and its spectral index changed. */
export function changed(source: ModelSource, dl: number, dm: number, dIndex: number): ModelSource {
  const components = source.components.slice();
  for (let k = 0; k < components.length; k += 3) {
    components[k]! += dl;
    components[k + 1]! += dm;
  }
  return { components, spectralIndex: source.spectralIndex + dIndex };
}

/** A source of which `flux` Jy are known and components (l, m, Jy) are to be added: the shares anew. */
export function withMore(source: ModelSource, flux: number, more: ArrayLike<number>): ModelSource {
  let total = flux;
  for (let k = 2; k < more.length; k += 3) total += more[k]!;
  if (!(total * flux > 0)) return source;
  const own = source.components.length;
  const components = new Float64Array(own + more.length);
  for (let k = 0; k < own; k += 3) {
    components[k] = source.components[k]!;
    components[k + 1] = source.components[k + 1]!;
    components[k + 2] = (source.components[k + 2]! * flux) / total;
  }
  for (let k = 0; k < more.length; k += 3) {
    components[own + k] = more[k]!;
    components[own + k + 1] = more[k + 1]!;
    components[own + k + 2] = more[k + 2]! / total;
  }
  return { ...source, components };
}

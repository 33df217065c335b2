/** The public face of the radio astronomy: shapes of visibilities and images, readers, kernels, pipelines. */

export { openTable } from './io/casacore/open-table.ts';
export type {
  Cell,
  Column,
  ColumnInfo,
  KeywordValue,
  RowSelection,
  Table,
  TableRecord,
} from './io/casacore/table.ts';
export type { Field } from './io/measurement-set/fields.ts';
export {
  type Band,
  type ChunkSelection,
  MeasurementSet,
  openMeasurementSet,
} from './io/measurement-set/measurement-set.ts';
export type { ObservationToWrite } from './io/measurement-set/observation.ts';
export type { TimeSlot } from './io/measurement-set/row-index.ts';
export type { Antenna, SpectralWindow } from './io/measurement-set/subtables.ts';
export { writeMeasurementSet } from './io/measurement-set/write.ts';
export { lmFromSky, skyFromLm } from './io/wcs.ts';
export {
  type RunHooks,
  type RunOutcome,
  runTransients,
  type TransientRun,
  type WantedSet,
} from './pipelines/transients.ts';
export { searchDefaults, type TransientRequest } from './pipelines/transients-request.ts';
export type { SourceRows } from './pipelines/transients-rows.ts';
export { arrayLayouts, parseLayout, type Station } from './simulation/layouts.ts';
export type { LightCurve } from './simulation/light-curves.ts';
export { evenBand, type SimulationPlan, simulateObservation } from './simulation/observe.ts';
export { fluxDensity, type SkySource } from './simulation/predict.ts';
export { transitTime } from './simulation/uvw.ts';
export { placeOf } from './transient/sky-model.ts';
export * from './visibility.ts';

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
export * from './visibility.ts';

/** The public face of the radio astronomy: shapes of visibilities and images, readers, kernels, pipelines. */
export * from './visibility.ts';

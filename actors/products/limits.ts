/**
 * Owns the limits of the products, each with its reason. Must not know: anything else.
 */
export const limits = {
  /** Pixels a side of a picture in the report: a screen shows no more. */
  pictureSide: 1000,
  /** Pixels of all pictures together: a page of a few megabytes opens everywhere and can be mailed. */
  picturePixels: 6_000_000,
  /** Sources whose light curves are drawn; the others are in the table. */
  drawnSources: 60,
  /** Steady sources among them, the brightest: for comparison. */
  drawnSteady: 6,
  /** Points of a plot, all bands together; more are averaged, since they would lie on one another. */
  plotPoints: 900,
} as const;

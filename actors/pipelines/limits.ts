/**
 * Owns the limits of the pipelines, each with its reason. Must not know: anything else.
 */
export const limits = {
  /** Blocks a thread: enough that threads end together, few enough that tasks stay much longer than their
   *  overhead. */
  blocksPerThread: 4,
  /** Visibilities and images that a task holds at once, bytes. */
  blockBytes: 192 * 2 ** 20,
  /** Pixels of an image: 16384 x 16384. The grid of a larger one would not fit the 32-bit memory that it is
   *  made in. */
  imagePixels: 2 ** 28,
  /** Visibilities that an image is made of in one go, bytes; joining bands takes as much again. Usual sets
   *  are one block, so that each image costs one set of Fourier transforms. */
  imageBlockBytes: 2 ** 30,
  /** Phase centres of sets may differ by this part of a pixel: far below any error of place. */
  centrePixels: 0.1,
  /** Passes in which CLEAN of the means may still find sources. */
  cleanRounds: 15,
  /** The most of the strongest source that a sidelobe is feared to reach; beyond, nothing could be found. */
  sidelobeShare: 0.6,
  /** Passes in which the residual frames are searched. */
  searchRounds: 12,
  /** Fits without images after new sources came, to bring them to their places. */
  settlingFits: 3,
  /** CLEAN may put components where the mean stands out by this many times its noise ... */
  cleanSeedSigma: 5,
  /** ... and goes down to this many times, there. */
  cleanDepthSigma: 2.5,
  /** One CLEAN goes down to this part of the peak, then the exact residual is made (major cycle). */
  cleanStopFraction: 0.15,
  /** Iterations of one CLEAN: bounds its time. */
  cleanIterations: 20_000,
  /** Part of a peak that one iteration takes. */
  cleanGain: 0.1,
  /** Pixels of a tile times frames that a detection task holds, bytes of 4 each, thrice. */
  tileBytes: 48 * 2 ** 20,
  /** Detections of a tile and series that are looked at; more come in the next round. */
  detectionsPerTile: 32,
  /** A measurement of a known source counts as detected from this many sigma, the custom for limits. */
  detectedSigma: 3,
  /** Half the side of a small picture of a transient, pixels: enough around it to judge by ... */
  thumbnailLeast: 14,
  /** ... and no more than the report draws one by one. */
  thumbnailMost: 48,
  /** Baselines of a frame that a source must have, or the fluxes of many could not be told apart: the
   *  channels of one baseline say much the same. */
  baselinesPerSource: 3,
  /** Baselines of a frame, those of five antennas, below which changes are not looked for: a source elsewhere
   *  that the model lacks can't be told from a transient. */
  leastBaselines: 10,
  /** Sources that are fitted together; their normal matrix grows with the square. */
  mostSources: 200,
} as const;

/**
 * Owns the constants of the transient search, each with its reason. Must not know: anything else.
 */
export const limits = {
  /** Samples (row x channel) whose templates are held at once while a frame is fitted: a few MB a source. */
  samplesAtOnce: 4096,
  /** Added to the diagonal of a normal matrix, relative: keeps the errors of twins finite, changes nothing
   *  else. */
  ridge: 1e-9,
  /** Sources that may be fitted channel by channel in one frame: what spoils more is not their spectra. */
  freeSpectra: 4,
  /** Samples of a channel that each such source needs, or it would take in the noise. */
  samplesPerFlux: 8,
  /** Prior width of a source's in-band spectral index: wider than any real one, enough to steady a narrow
   *  band, in which the index cannot be measured. */
  spectralIndexSpread: 2,
  /** The largest move of a source in one refinement, beams: beyond it the linear step means nothing. */
  longestStepBeams: 0.5,
  /** A source is at its place when a step would move it by less than this, in beams ... */
  settledBeams: 0.001,
  /** ... or less than this part of the error of its place. */
  settledSigma: 0.3,
  /** Sources nearer than this, in beams, are one: their fluxes could not be told apart. */
  mergeBeams: 0.5,
  /** A new detection must reach this part of the strongest one that shares its frames; weaker ones may be
   *  its sidelobes (snapshots of few antennas have sidelobes of a half) and wait for the next round. */
  sidelobeShare: 0.55,
  /** Detections in images are tried down to this much below the threshold (sigma), since the final word is
   *  that of the light curve, measured without pixels. */
  imageSlack: 0.5,
  /** The local noise is estimated in squares of this many pixels. */
  noiseSquare: 32,
  /** Frames that the local noise is the median of: its error is 1 % with a thousand pixels each. */
  noiseFrames: 16,
  /** Pixels of a frame that the median of its noise is taken over: 1 % accuracy. */
  noiseSamples: 16384,
  /** New sources accepted in one round: each costs a fit in every frame. */
  newPerRound: 16,
  /** A source is variable only if its flux scatters by more than its errors explain, with a chance of a
   *  constant source below this ... */
  constantChance: 1e-6,
  /** ... and by more than this part of its mean, below which gain errors of real arrays lie: 3C 48 scatters
   *  by 7 % in a minute of LOFAR. */
  leastModulation: 0.1,
  /** A brightening must exceed those of steady sources by this factor: what happens to them as well is an
   *  error of calibration or of the model ... */
  doubtShare: 1.5,
  /** ... and a variable source must scatter by more than what is unexplained in theirs, by this factor. */
  doubtSigma: 3,
  /** A transient outshines what remains in quiescence by this factor, if anything remains. */
  transientContrast: 5,
  /** Sigma of quiescent flux that counts as some. */
  quiescentSigma: 3,
  /** An event takes at most this part of the time: what is off for less has dipped, not brightened. */
  longestEvent: 0.8,
  /** An event reaches as far as its frames are above quiescence by this many sigma. */
  eventEdgeSigma: 2,
} as const;

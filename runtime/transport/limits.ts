/**
 * Owns the limits of the transport, each with its reason. Must not know: sockets.
 */
export const limits = {
  // Larger ws messages lose 2-3 times to allocation and page faults; senders cut bulk data before.
  frameBytes: 8 * 2 ** 20,
  // A frame and its framing; anything larger is cut off by ws before it is buffered.
  payloadBytes: 16 * 2 ** 20,
  // A nonce, a proof and a hello are a few hundred bytes.
  handshakeBytes: 65_536,
  // Time for the whole handshake, the HTTP upgrade included: enough for a line of 300 ms, short for a
  // slow-loris.
  handshakeMs: 5_000,
  // Connections of a listener that have not proved who they are. A hundred nodes that come at once try again.
  unprovedConnections: 64,
  // So often a dialler comes again when its connection was cut before it could prove itself, and after what.
  dialTries: 5,
  dialPauseMs: 100,
  // How often Node.js looks for connections whose HTTP request does not come to an end.
  upgradeCheckMs: 1_000,
  // Pieces that one WebSocket message may come in, and that may wait: a piece is 16 KiB or more in practice.
  messageFragments: 4_096,
  bufferedChunks: 65_536,
  dialMs: 10_000,

  // Messages that travel as one batch, frames and bytes that one batch may announce: a batch is decoded as a
  // whole, so it must not hold up a heartbeat for long; one message may have large arguments.
  batchMessages: 1000,
  batchFrames: 65_536,
  batchBytes: 2 ** 31,
  // How long a message that nobody waits for waits for another to leave with: longer than most pauses between
  // two tasks that follow one another, shorter than anybody would notice.
  laterMs: 2,
  // `drained` waits until so little is queued.
  bufferedBytes: 32 * 2 ** 20,
  // A peer that answers no ping for so long is gone (a stopped process, a cut cable).
  pingMs: 5_000,
  silenceMs: 20_000,
  // Messages that come before anybody receives them.
  earlyMessages: 10_000,
  // Frames kept while a handshake is being checked.
  earlyFrames: 1000,
  // How long a close may take before the socket is cut.
  closeMs: 2_000,
  routableTokenCharacters: 16,
  // How often it is looked whether the files of certificates have changed, and how long before the end of one
  // its owner is told: long enough to get a new one signed.
  certificateCheckMs: 10_000,
  expiryWarningDays: 14,
};

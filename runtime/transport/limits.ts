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
  // Time for the whole handshake: generous for a line of 300 ms, short for a slow-loris.
  handshakeMs: 10_000,
  dialMs: 10_000,

  // Messages that travel as one batch, frames and bytes that one batch may announce: a batch is decoded as a
  // whole, so it must not hold up a heartbeat for long; one message may have large arguments.
  batchMessages: 1000,
  batchFrames: 65_536,
  batchBytes: 2 ** 31,
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
};

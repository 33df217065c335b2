/** The public face of scheduler/. */
export {};

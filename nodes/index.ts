/** The public face of nodes/. */
export {};

/** The public face of nodes/: starting nodes and local clusters from a program. */
export {};

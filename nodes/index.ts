/** The public face of nodes/: starting nodes and local clusters from a program. */
export { NodeAgent, type NodeOptions } from './agent.ts';
export { LocalCluster, type LocalClusterOptions, type LocalNode } from './local-cluster.ts';
export { performanceReport } from './performance-report.ts';

/**
 * Owns what is written when the scheduler finds itself in a state that should not be: the error, the event at
 * hand, the life of the task concerned and the last events. Pure. Must not know: where it is written.
 */
import type { LogEntry } from './black-box.ts';
import { explain, story } from './explain.ts';
import { limits } from './limits.ts';
import type { SchedulerEvent, SchedulerState } from './scheduler-state.ts';

/** One event in a line, without bulk. */
function summary({ seq, now, event }: LogEntry): string {
  return `#${seq} at ${now} ms: ${nameOf(event)}`;
}

function nameOf(event: SchedulerEvent): string {
  switch (event.type) {
    case 'from-node': {
      const { message, node } = event;
      const about = 'key' in message ? ` ${message.key}` : '';
      const run = 'run' in message ? ` run ${message.run}` : '';
      return `${node}: ${message.type}${about}${run}`;
    }
    case 'from-client': {
      const { message, client } = event;
      if (message.type === 'submit')
        return `${client}: submit ${message.tasks.length} tasks, ${message.wants.length} wants`;
      if ('keys' in message) return `${client}: ${message.type} ${message.keys.length} keys`;
      return `${client}: ${message.type}`;
    }
    case 'node-joined':
      return `${event.info.node} joined`;
    case 'node-cut':
      return `${event.node} was cut off: ${event.reason}`;
    case 'node-lost':
      return `${event.node} was lost: ${event.reason}`;
    case 'recorded':
      return `recorded ${event.through}`;
    case 'client-joined':
    case 'client-lost':
      return `${event.type} ${event.client}`;
    default:
      return event.type;
  }
}

/** Lines for the log. `found` is what was thrown, or what the invariants say. */
export function defectReport(state: SchedulerState, found: unknown): string {
  const entries = state.log.entries();
  const last = entries.at(-1);
  const lines = [
    'asperitas scheduler: a defect of the program; it stops rather than going on with a broken state',
    found instanceof Error ? (found.stack ?? found.message) : String(found),
    `${state.tasks.size} tasks (${JSON.stringify(state.counts)}), ${state.nodes.size} nodes, ` +
      `${state.clients.size} clients`,
  ];
  if (last?.event.type === 'from-node' && 'key' in last.event.message) {
    const { key } = last.event.message;
    lines.push(explain(state, key), ...story(state, key));
  }
  lines.push('the last events:', ...entries.slice(-limits.reportedEvents).map(summary));
  return `${lines.join('\n')}\n`;
}

/**
 * Owns what must always be true of actors in the scheduler's state: seats and what is held for them agree,
 * names lead to living actors. Pure. Must not know: how the state came about.
 */
import type { SchedulerState } from './scheduler-state.ts';

/** Everything that is wrong, one line each. */
export function checkActors(state: SchedulerState): string[] {
  const wrong: string[] = [];
  const { actors, names, groups, seeking } = state.actors;
  const counts = new Map<string, number>();
  const threads = new Map<string, number>();
  const note = (node: string, amount: number): void => {
    counts.set(node, (counts.get(node) ?? 0) + 1);
    threads.set(node, (threads.get(node) ?? 0) + amount);
  };
  for (const [id, actor] of actors) {
    const { phase, seat, spec, group } = actor;
    if (groups.get(group.id) !== group) wrong.push(`actor ${id}: its group is forgotten`);
    if (seat !== undefined) note(seat, spec.needs.threads ?? 0);
    if (phase.name === 'leaving' && phase.next !== undefined) note(phase.next, spec.needs.threads ?? 0);
    const seated = phase.name !== 'down' && phase.name !== 'seeking';
    if (seated && (seat === undefined || !state.nodes.has(seat))) {
      wrong.push(`actor ${id}: ${phase.name} without a seat`);
    }
    if ((phase.name === 'seeking') !== seeking.has(actor)) wrong.push(`actor ${id}: wrongly seeking or not`);
    if (spec.name !== undefined && names.get(spec.name) !== actor)
      wrong.push(`actor ${id}: not found by name`);
  }
  for (const [name, actor] of names) {
    if (actors.get(actor.spec.actor) !== actor) wrong.push(`name ${name}: its actor is forgotten`);
  }
  for (const [id, { reserved, info }] of state.nodes) {
    if (reserved.actors !== (counts.get(id) ?? 0)) {
      wrong.push(`${id}: ${reserved.actors} actors counted, ${counts.get(id) ?? 0} found`);
    }
    if (Math.abs(reserved.threads - (threads.get(id) ?? 0)) > 1e-6) {
      wrong.push(`${id}: ${reserved.threads} threads held for actors, ${threads.get(id) ?? 0} found`);
    }
    for (const [name, amount] of reserved.named) {
      const there = info.resources[name] ?? 0;
      if (amount > there + 1e-9) wrong.push(`${id}: ${amount} of ${name} held for actors, ${there} there`);
    }
  }
  return wrong;
}

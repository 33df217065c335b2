/**
 * Owns topics: what is said goes to those who follow at the time, and is not kept. Each word has its number,
 * so that a follower knows how many it has missed. Pure. Must not know: other kinds of wishes.
 */
import { answer, problem } from './coordination-answers.ts';
import type { Asked, Topic, WishOf } from './coordination-state.ts';
import { notify, type SchedulerState } from './scheduler-state.ts';

export function sayOnTopic(state: SchedulerState, topic: Topic, asked: Asked): void {
  const { value } = asked.wish as WishOf<'say-on-topic'>;
  if (value.keys.length > 0) {
    const message = 'a topic carries no futures, since nobody would keep them: use a queue or a variable';
    answer(state, asked, problem('no-futures-on-topics', message));
    return;
  }
  topic.said++;
  for (const { client, wish } of topic.followers) {
    notify(state, client, { type: 'topic-said', wish: wish.wish, count: topic.said, value });
  }
  answer(state, asked, { outcome: 'granted', count: topic.followers.size });
}

export function followTopic(state: SchedulerState, topic: Topic, asked: Asked): void {
  topic.followers.add(asked);
  answer(state, asked, { outcome: 'granted', count: topic.said });
}

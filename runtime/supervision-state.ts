/**
 * Owns supervision as data: a tree of actors and supervisors with their strategies, and what is known of each
 * of them. Must not know: what starts and stops them (supervision-core.ts says when), where they live.
 */
import { type Millis, millis } from './ids.ts';

/** When an end is followed by a restart: always, after an abnormal end, or never. */
export type Restart = 'permanent' | 'transient' | 'temporary';
/** Who is restarted with a child that ended: itself, all, or itself and those that started after it. */
export type Strategy = 'one-for-one' | 'one-for-all' | 'rest-for-one';

export interface ActorChild {
  readonly kind: 'actor';
  readonly id: string;
  readonly restart: Restart;
  /** How long it may take to stop before it is killed. */
  readonly shutdownMs: number;
}

/** The pause before a restart: none before the first within the period, then twice as long each time, by
 * chance shorter or longer by the fraction `jitter`. */
export interface BackOff {
  readonly leastMs: number;
  readonly mostMs: number;
  readonly jitter: number;
}

export interface SupervisorChild {
  readonly kind: 'supervisor';
  readonly id: string;
  readonly strategy: Strategy;
  /** More restarts than `limit` within the period: it gives up, stops its children, and its own supervisor
   * treats it as a child that ended abnormally. */
  readonly limit: number;
  readonly withinMs: number;
  readonly backOff: BackOff;
  readonly restart: Restart;
  readonly children: readonly Child[];
}
export type Child = ActorChild | SupervisorChild;

/** `target` is where it is to go: `bounce` is down first, then up. */
export type Target = 'up' | 'down' | 'bounce';
export type MemberPhase =
  | { readonly name: 'down' }
  | { readonly name: 'starting' }
  | { readonly name: 'up' }
  | { readonly name: 'stopping'; readonly killAt: Millis; killed: boolean }
  /** It has ended and is not started again. */
  | { readonly name: 'ended' };

/** A child, or the supervisor at the root. */
export interface Member {
  readonly spec: Child;
  readonly parent: Member | undefined;
  /** In the order of starting. */
  readonly members: readonly Member[];
  phase: MemberPhase;
  target: Target;
  /** Not to be started before. */
  notBefore: Millis;
  /** Of a supervisor: when it restarted children, within its period. */
  restarts: Millis[];
  /** Why it is to go down for good. */
  why: EndReason;
}

export interface SupervisionState {
  now: Millis;
  /** Between 0 and 1, by chance; of the event at hand. */
  random: number;
  readonly root: Member;
  readonly actors: Map<string, Member>;
  /** All were up at once: before that, one that can't start ends all. */
  wasUp: boolean;
  /** Before that, time passes without effect. */
  begun: boolean;
  finished: boolean;
  out: SupervisionInstruction[];
}

export type SupervisionEvent =
  /** Start everything, in order. */
  | { readonly type: 'begun' }
  | { readonly type: 'child-started'; readonly id: string }
  /** `normal`: by its own will or because it was told to. */
  | { readonly type: 'child-ended'; readonly id: string; readonly normal: boolean }
  /** Somebody asks for the end of one, or of all. */
  | { readonly type: 'stop-asked'; readonly id?: string }
  | { readonly type: 'ticked' };

export type SupervisionInstruction =
  | { readonly type: 'start'; readonly id: string }
  | { readonly type: 'stop'; readonly id: string; readonly shutdownMs: number }
  /** It did not stop in time. */
  | { readonly type: 'kill'; readonly id: string }
  /** It will not be started again. */
  | { readonly type: 'end'; readonly id: string; readonly why: EndReason }
  /** All have been started for the first time. */
  | { readonly type: 'announce-up' }
  /** Nothing is left. */
  | { readonly type: 'finish' };

/** `stopped`: as was asked for; `ended`: by itself, and its policy wants no restart; `gave-up`: restarted too
 * often, itself or one whose end ends it; `not-started`: one of those that start together could not. */
export type EndReason = 'stopped' | 'ended' | 'gave-up' | 'not-started';

export function createSupervision(root: SupervisorChild): SupervisionState {
  const actors = new Map<string, Member>();
  const memberOf = (spec: Child, parent: Member | undefined): Member => {
    const members: Member[] = [];
    const member: Member = {
      spec,
      parent,
      members,
      phase: { name: 'down' },
      target: 'down',
      notBefore: millis(0),
      restarts: [],
      why: 'stopped',
    };
    if (spec.kind === 'actor') actors.set(spec.id, member);
    else for (const child of spec.children) members.push(memberOf(child, member));
    return member;
  };
  const tree = memberOf(root, undefined);
  const fresh = { wasUp: false, begun: false, finished: false };
  return { now: millis(0), random: 0, root: tree, actors, ...fresh, out: [] };
}

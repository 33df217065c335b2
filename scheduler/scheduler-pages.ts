/**
 * Owns the scheduler's pages for monitors, `/health` and `/metrics`, and the count of the time that the core
 * takes, which is kept only while somebody may ask for it. Must not know: what the core does.
 */
import { jsonPage, type ObservationServer, serveObservation } from '../runtime/index.ts';
import { openMetrics } from './metrics.ts';
import { familiesOf, healthOf } from './scheduler-metrics.ts';
import type { SchedulerState } from './scheduler-state.ts';

export interface PagesOptions {
  readonly port: number;
  readonly state: SchedulerState;
  readonly ending: () => boolean;
  readonly journalBytes?: () => number | undefined;
}

export class SchedulerPages {
  #events = 0;
  #coreMs = 0;
  #server!: ObservationServer;

  /** @throws AsperitasError `cannot-listen` */
  static async open({ port, state, ending, journalBytes }: PagesOptions): Promise<SchedulerPages> {
    const pages = new SchedulerPages();
    const metrics = await openMetrics(() =>
      familiesOf(state, {
        events: pages.#events,
        coreSeconds: pages.#coreMs / 1000,
        journalBytes: journalBytes?.(),
      }),
    );
    pages.#server = await serveObservation(port, {
      '/health': () => {
        const { well, report } = healthOf(state, ending());
        return jsonPage(well ? 200 : 503, report);
      },
      '/metrics': async () => ({ status: 200, type: metrics.contentType, body: await metrics.text() }),
    });
    return pages;
  }

  get url(): string {
    return this.#server.url;
  }

  /** An event took so long in the core. */
  count(ms: number): void {
    this.#events++;
    this.#coreMs += ms;
  }

  close(): Promise<void> {
    return this.#server.close();
  }
}

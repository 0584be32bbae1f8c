import { parseHash, withQuery, type QueryValue, type Route } from './route.ts';

class Router {
  route: Route = $state.raw(parseHash(location.hash));

  constructor() {
    addEventListener('hashchange', () => {
      this.route = parseHash(location.hash);
    });
  }

  get page(): string {
    return this.route.parts[0] ?? 'data';
  }

  /** Second part of the path: the id of what the page shows, or ''. */
  get subject(): string {
    return this.route.parts[1] ?? '';
  }

  /** The last value of a query key, or ''. */
  get(key: string): string {
    return this.route.query.get(key) ?? '';
  }

  getAll(key: string): string[] {
    return this.route.query.getAll(key);
  }

  go(hash: string): void {
    location.hash = hash;
  }

  /** Changes the state of this page without a new entry in the history. */
  set(changes: Record<string, QueryValue>): void {
    const hash = withQuery(this.route, changes);
    history.replaceState(null, '', hash);
    this.route = parseHash(hash);
  }
}

export const router = new Router();

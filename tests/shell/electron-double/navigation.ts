import type { APIResponse, Frame, Page, Request, Route } from '@playwright/test';
import { DoubleEvent } from './event.ts';
import type { WebContents } from './web-contents.ts';

class NavigationEvent extends DoubleEvent {
  readonly url: string;
  readonly isMainFrame: boolean;

  constructor(url: string, isMainFrame: boolean) {
    super();
    this.url = url;
    this.isMainFrame = isMainFrame;
  }
}

/** Raises Electron's navigation events for what a real page does, and obeys what they prevent. */
export async function guardRequests(page: Page, contents: WebContents): Promise<void> {
  const context = page.context();
  const strays = new StrayWindows();
  await context.route('**/*', async (route) => {
    const request = route.request();
    if (!request.isNavigationRequest()) return route.continue();
    const frame = frameOf(request);
    if (frame?.page() === page) return navigate(route, frame, contents);
    if (contents.windowOpen(request.url()) === 'allow') return route.continue();
    await route.abort();
    strays.refused();
  });
  context.on('page', (opened) => strays.opened(opened));
}

/** Chromium reports a new window before or after its request, which must be refused first. */
class StrayWindows {
  readonly #pages: Page[] = [];
  #refusals = 0;

  opened(page: Page): void {
    this.#pages.push(page);
    this.#close();
  }

  refused(): void {
    this.#refusals += 1;
    this.#close();
  }

  #close(): void {
    if (this.#refusals === 0 || this.#pages.length === 0) return;
    this.#refusals -= 1;
    void this.#pages.shift()?.close();
  }
}

/** The frame that navigates; none yet in a window that is being opened. */
function frameOf(request: Request): Frame | null {
  try {
    return request.frame();
  } catch {
    return null;
  }
}

async function navigate(route: Route, frame: Frame, contents: WebContents): Promise<void> {
  const url = route.request().url();
  const isMainFrame = frame.parentFrame() === null;
  if (!(isMainFrame && contents.takeOwnLoad(url))) {
    const names = isMainFrame ? ['will-navigate', 'will-frame-navigate'] : ['will-frame-navigate'];
    if (prevented(contents, names, url, isMainFrame)) return route.fulfill({ status: 204 });
  }
  const response = await answerOf(route);
  if (response === null) return route.abort('connectionrefused');
  const target = redirectTarget(response, url);
  if (target !== null && prevented(contents, ['will-redirect'], target, isMainFrame)) {
    return route.fulfill({ status: 204 });
  }
  return route.fulfill({ response });
}

async function answerOf(route: Route): Promise<APIResponse | null> {
  try {
    return await route.fetch({ maxRedirects: 0 });
  } catch {
    return null;
  }
}

function redirectTarget(response: APIResponse, from: string): string | null {
  const location = response.headers()['location'];
  if (response.status() < 300 || response.status() > 399 || location === undefined) return null;
  return new URL(location, from).href;
}

function prevented(contents: WebContents, names: string[], url: string, main: boolean): boolean {
  const event = new NavigationEvent(url, main);
  for (const name of names) contents.emit(name, event);
  return event.defaultPrevented;
}

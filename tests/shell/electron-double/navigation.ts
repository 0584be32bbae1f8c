import type { APIResponse, BrowserContext, Frame, Page, Request, Route } from '@playwright/test';
import { chromiumInUse } from './browser.ts';
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

/** The app's windows: Chromium's pages that no page opened by itself. */
const owned = new Map<Page, WebContents>();

/**
 * A page for a window of the app (Chromium's first page for the first one), guarded: Electron's
 * navigation events are raised for what the page does, and what they prevent does not happen.
 */
export async function takePage(contents: WebContents): Promise<Page> {
  const { context } = chromiumInUse();
  const first = owned.size === 0 ? context.pages()[0] : undefined;
  if (first) await guardRequests(first.context(), new StrayWindows(), contents);
  const page = first ?? (await newPage(context));
  owned.set(page, contents);
  return page;
}

let making = 0;

async function newPage(context: BrowserContext): Promise<Page> {
  making += 1;
  return context.newPage();
}

async function guardRequests(
  context: BrowserContext,
  strays: StrayWindows,
  main: WebContents,
): Promise<void> {
  await context.route('**/*', async (route) => {
    const request = route.request();
    if (!request.isNavigationRequest()) return route.continue();
    const frame = frameOf(request);
    const contents = frame && owned.get(frame.page());
    if (contents) return navigate(route, frame, contents);
    if (main.windowOpen(request.url()) === 'allow') return route.continue();
    await route.abort();
    strays.refused();
  });
  context.on('page', (opened) => {
    if (making > 0) making -= 1;
    else strays.opened(opened);
  });
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

/** The parts of Electron that show something outside the page: the test sees and answers them. */
import type * as Electron from 'electron';
import { ask, report } from './control.ts';

/** Dialogs take (window, options) or (options). */
const optionsOf = (given: unknown[]): unknown => given.at(-1);

export const dialog = {
  showOpenDialog: (...given: unknown[]) =>
    ask<Electron.OpenDialogReturnValue>('showOpenDialog', optionsOf(given)),
  showMessageBox: (...given: unknown[]) =>
    ask<Electron.MessageBoxReturnValue>('showMessageBox', optionsOf(given)),
} satisfies Partial<Electron.Dialog>;

export const shell = {
  openExternal: async (url: string) => report('openExternal', url),
  showItemInFolder: (path: string) => report('showItemInFolder', path),
} satisfies Partial<Electron.Shell>;

const area = { x: 0, y: 0, width: 1920, height: 1080 };

export const screen = {
  getAllDisplays: () => [{ workArea: area, bounds: area } as Electron.Display],
} satisfies Partial<Electron.Screen>;

type Template = Electron.MenuItemConstructorOptions;

class MenuDouble {
  static #application: MenuDouble | null = null;
  readonly template: Template[];

  constructor(template: Template[]) {
    this.template = template;
  }

  static buildFromTemplate(template: Template[]): MenuDouble {
    return new MenuDouble(template);
  }

  static setApplicationMenu(menu: MenuDouble | null): void {
    MenuDouble.#application = menu;
  }

  static getApplicationMenu(): MenuDouble | null {
    return MenuDouble.#application;
  }

  /** The item with that id, in this menu or in one below it. */
  getMenuItemById(id: string): Template | null {
    const queue = [...this.template];
    for (let item = queue.shift(); item; item = queue.shift()) {
      if (item.id === id) return item;
      if (Array.isArray(item.submenu)) queue.push(...item.submenu);
    }
    return null;
  }
}

export { MenuDouble as Menu };

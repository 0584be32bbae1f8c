import { contextBridge, ipcRenderer, webUtils } from 'electron';
import { channels, versionArgument, type ShellBridge } from './bridge.ts';

const argument = process.argv.find((text) => text.startsWith(versionArgument)) ?? versionArgument;

const bridge: ShellBridge = {
  pickFolder: () => ipcRenderer.invoke(channels.pickFolder),
  pickFile: () => ipcRenderer.invoke(channels.pickFile),
  pathOf: (file) => webUtils.getPathForFile(file),
  showInFolder: (path) => ipcRenderer.invoke(channels.showInFolder, path),
  version: argument.slice(versionArgument.length),
};

contextBridge.exposeInMainWorld('carryover', bridge);

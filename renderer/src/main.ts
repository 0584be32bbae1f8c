import './lib/zod-jitless.ts';
import './app.css';
import { mount } from 'svelte';
import { adoptFigureStyle } from './analyses/adopt-style.ts';
import App from './App.svelte';

const target = document.getElementById('app');
if (target === null) throw new Error('index.html has no #app');
adoptFigureStyle();
mount(App, { target });

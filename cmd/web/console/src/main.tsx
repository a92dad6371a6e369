import { render } from 'preact';
import '../../src/styles/base.css';
import '../../src/styles/controls.css';
import '../../src/styles/dialogs.css';
import 'uplot/dist/uPlot.min.css';
import './console.css';
import { App } from './app.tsx';

render(<App />, document.getElementById('app')!);

import { render } from 'preact';
import { webSocketTransport } from '../../../pkg/chat-client/index.ts';
import { App } from './app.tsx';
import './styles/base.css';
import './styles/controls.css';
import './styles/dialogs.css';
import './styles/sign-in.css';
import './styles/sidebar.css';
import './styles/conversation.css';
import './styles/messages.css';
import './styles/threads.css';

const transport = () => webSocketTransport(new URL('.', location.href).href);

render(<App newTransport={transport} />, document.getElementById('app')!);

import { useState } from 'preact/hooks';
import { Field } from '../../src/components/controls/field.tsx';
import { Problem } from '../../src/components/controls/problem.tsx';
import { ConsoleApi } from './session/console-api.ts';

interface Props {
  onSignedIn: (api: ConsoleApi) => void;
  onSignedOut: () => void;
}

/** Asks for the name and password of an administrator, or for an access token from elsewhere. */
export function SignIn({ onSignedIn, onSignedOut }: Props) {
  const [problem, setProblem] = useState('');
  const [busy, setBusy] = useState(false);
  const submit = async (event: SubmitEvent, names: string[]) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    const credentials = Object.fromEntries(names.map((name) => [name, String(form.get(name)).trim()]));
    setBusy(true);
    try {
      onSignedIn(await ConsoleApi.signIn(credentials as { accessToken: string }, onSignedOut));
    } catch (error) {
      setProblem((error as Error).message);
      setBusy(false);
    }
  };
  return (
    <main class="console-sign-in">
      <h1>Chat console</h1>
      <p>For accounts with the role admin.</p>
      <form onSubmit={(event) => void submit(event, ['username', 'password'])}>
        <Field name="username" label="User name" autoComplete="username" />
        <Field name="password" label="Password" type="password" autoComplete="current-password" />
        <button type="submit" class="button button-primary button-wide" disabled={busy}>
          Sign in
        </button>
      </form>
      <Problem text={problem} />
      <details>
        <summary>Use an access token instead</summary>
        <form onSubmit={(event) => void submit(event, ['accessToken'])}>
          <Field name="accessToken" label="Access token" type="password" autoComplete="off" />
          <button type="submit" class="button button-wide" disabled={busy}>
            Use the token
          </button>
        </form>
      </details>
    </main>
  );
}

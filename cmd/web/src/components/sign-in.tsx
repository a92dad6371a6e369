import { useState } from 'preact/hooks';
import { ChatClientError, type Transport } from '../../../../pkg/chat-client/index.ts';
import { explain } from '../session/explain.ts';
import { type Credentials, type SignedIn, signIn } from '../session/sign-in.ts';
import { Field } from './controls/field.tsx';
import { Icon } from './controls/icon.tsx';
import { Problem } from './controls/problem.tsx';
import { Tabs } from './controls/tabs.tsx';

interface Props {
  transport: Transport;
  /** Why the user must sign in again. */
  notice: string;
  onSignedIn: (signedIn: SignedIn) => Promise<void>;
}

type Kind = Credentials['kind'];

const labels: Record<Kind, string> = { guest: 'Guest', login: 'Log in', register: 'Register' };
const actions: Record<Kind, string> = { guest: 'Join as guest', login: 'Log in', register: 'Make an account' };

/** The first page: as a guest by name alone, or with an account. */
export function SignIn({ transport, notice, onSignedIn }: Props) {
  const [kind, setKind] = useState<Kind>('guest');
  const [kinds, setKinds] = useState<Kind[]>(['guest', 'login', 'register']);
  const [problem, setProblem] = useState(notice);
  const [busy, setBusy] = useState(false);

  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const fields = new FormData(event.currentTarget as HTMLFormElement);
    setBusy(true);
    setProblem('');
    try {
      await onSignedIn(await signIn(transport, toCredentials(kind, fields)));
    } catch (error) {
      setProblem(explain(error));
      setBusy(false);
      const closed = error instanceof ChatClientError && notAdmitted[error.reason];
      if (!closed) return;
      setKinds(kinds.filter((one) => one !== closed));
      setKind('login');
    }
  };

  return (
    <main class="sign-in">
      <form class="sign-in-card" onSubmit={(event) => void submit(event)}>
        <span class="sign-in-mark">
          <Icon name="chat" />
        </span>
        <h1>Welcome to Chat</h1>
        <Tabs
          label="How to sign in"
          tabs={kinds.map((one) => ({ id: one, label: labels[one] }))}
          selected={kind}
          onSelect={(next) => {
            setKind(next);
            setProblem('');
          }}
        >
          <div class="fields" key={kind}>
            {kind === 'guest' ? (
              <Field
                name="name"
                label="Your name"
                autoComplete="nickname"
                maxLength={32}
                hint="Letters and digits. No password: anybody can take any name."
              />
            ) : (
              <AccountFields isNew={kind === 'register'} />
            )}
          </div>
        </Tabs>
        <Problem text={problem} />
        <button type="submit" class="button button-primary button-wide" disabled={busy}>
          {actions[kind]}
        </button>
      </form>
    </main>
  );
}

const notAdmitted: Partial<Record<string, Kind>> = { GUESTS_DISABLED: 'guest', REGISTRATION_DISABLED: 'register' };

function AccountFields({ isNew }: { isNew: boolean }) {
  return (
    <>
      <Field name="username" label="User name" autoComplete="username" maxLength={isNew ? 32 : 128} />
      {isNew && <Field name="name" label="Name that others see" autoComplete="name" maxLength={64} required={false} />}
      <Field
        name="password"
        label="Password"
        type="password"
        autoComplete={isNew ? 'new-password' : 'current-password'}
        maxLength={128}
        hint={isNew ? 'At least 8 characters, and hard to guess.' : undefined}
      />
    </>
  );
}

function toCredentials(kind: Kind, fields: FormData): Credentials {
  const text = (name: string) => String(fields.get(name) ?? '');
  const account = { username: text('username').trim(), password: text('password') };
  switch (kind) {
    case 'guest':
      return { kind, name: text('name').trim() };
    case 'login':
      return { kind, ...account };
    case 'register':
      return { kind, ...account, name: text('name').trim() };
    default:
      return kind satisfies never;
  }
}

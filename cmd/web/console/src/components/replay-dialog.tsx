import { useState } from 'preact/hooks';
import { Dialog } from '../../../src/components/controls/dialog.tsx';
import { Field } from '../../../src/components/controls/field.tsx';
import { Problem } from '../../../src/components/controls/problem.tsx';
import type { ConsoleApi } from '../session/console-api.ts';

interface Props {
  api: ConsoleApi;
  sink: string;
  onDone: () => void;
  onClose: () => void;
}

interface Replay {
  fromSeq: number;
  toSeq: number;
  replay: number;
}

/** Asks which changes of which chat a sink shall get again, and says what will be delivered. */
export function ReplayDialog({ api, sink, onDone, onClose }: Props) {
  const [problem, setProblem] = useState('');
  const [busy, setBusy] = useState(false);
  const [done, setDone] = useState<Replay>();
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    const asked = Object.fromEntries(['chatId', 'from', 'reason'].map((name) => [name, String(form.get(name)).trim()]));
    setBusy(true);
    try {
      setDone(await api.post<Replay>(`sinks/${encodeURIComponent(sink)}/replay`, asked));
      onDone();
    } catch (error) {
      setProblem((error as Error).message);
      setBusy(false);
    }
  };
  return (
    <Dialog title={`Replay a chat to ${sink}`} onClose={onClose}>
      {done ? (
        <>
          <p>
            Numbers {done.fromSeq} to {done.toSeq} are delivered again. Their message ids end in :r{done.replay}.
          </p>
          <div class="dialog-actions">
            <button type="button" class="button" onClick={onClose}>
              Close
            </button>
          </div>
        </>
      ) : (
        <form onSubmit={(event) => void submit(event)}>
          <p>The sink gets the chat's changes again, with new message ids. Consumers that kept them drop them.</p>
          <Field name="chatId" label="Id of the chat" autoComplete="off" />
          <Field
            name="from"
            label="From"
            hint="The first number, or a time, as in 2030-01-31T12:00:00Z."
            autoComplete="off"
          />
          <Field name="reason" label="Reason" hint="The audit log keeps it." maxLength={512} autoComplete="off" />
          <Problem text={problem} />
          <div class="dialog-actions">
            <button type="button" class="button" onClick={onClose}>
              Cancel
            </button>
            <button type="submit" class="button button-danger" disabled={busy}>
              Replay
            </button>
          </div>
        </form>
      )}
    </Dialog>
  );
}

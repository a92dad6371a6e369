import { useState } from 'preact/hooks';
import { Dialog } from '../../../src/components/controls/dialog.tsx';
import { Field } from '../../../src/components/controls/field.tsx';
import { Problem } from '../../../src/components/controls/problem.tsx';

/** An act that the administrator must confirm. */
export interface Action {
  title: string;
  question: string;
  /** The label of the button. */
  label: string;
  /** Whether it can be given a reason, and whether it must. */
  reason: 'required' | 'optional' | 'none';
  /** The dialog shows the error if it throws. */
  run: (reason: string) => Promise<unknown>;
}

interface Props {
  action: Action | undefined;
  onDone: () => void;
  onClose: () => void;
}

/** Asks for confirmation, and for the reason that the audit log keeps. Draws nothing without an action. */
export function ActionDialog({ action, onDone, onClose }: Props) {
  const [problem, setProblem] = useState('');
  const [busy, setBusy] = useState(false);
  if (!action) return null;
  const { title, question, label, reason, run } = action;
  const close = () => {
    setProblem('');
    setBusy(false);
    onClose();
  };
  const confirm = async (event: SubmitEvent) => {
    event.preventDefault();
    const given = new FormData(event.currentTarget as HTMLFormElement).get('reason');
    setBusy(true);
    try {
      await run(String(given ?? '').trim());
      close();
      onDone();
    } catch (error) {
      setProblem((error as Error).message);
      setBusy(false);
    }
  };
  return (
    <Dialog title={title} onClose={close}>
      <form onSubmit={(event) => void confirm(event)}>
        <p>{question}</p>
        {reason !== 'none' && (
          <Field
            name="reason"
            label="Reason"
            required={reason === 'required'}
            hint="The audit log keeps it."
            maxLength={512}
          />
        )}
        <Problem text={problem} />
        <div class="dialog-actions">
          <button type="button" class="button" onClick={close}>
            Cancel
          </button>
          <button type="submit" class="button button-danger" disabled={busy}>
            {label}
          </button>
        </div>
      </form>
    </Dialog>
  );
}

import type { InputHTMLAttributes } from 'preact';
import { useId } from 'preact/hooks';

interface Props {
  name: string;
  label: string;
  type?: 'text' | 'password';
  hint?: string;
  autoComplete?: string;
  maxLength?: number;
  required?: boolean;
  value?: string;
  onInput?: (value: string) => void;
}

/** A text input with its label. */
export function Field({ label, hint, onInput, type = 'text', required = true, ...rest }: Props) {
  const id = useId();
  // The types know each kind of input by itself.
  const input = { ...rest, type } as InputHTMLAttributes<HTMLInputElement>;
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <input
        {...input}
        id={id}
        required={required}
        autocapitalize="off"
        spellcheck={false}
        aria-describedby={hint ? `${id}-hint` : undefined}
        onInput={(event) => onInput?.(event.currentTarget.value)}
      />
      {hint && (
        <p id={`${id}-hint`} class="hint">
          {hint}
        </p>
      )}
    </div>
  );
}

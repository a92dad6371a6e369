import { invalidFieldsError } from '../../model/errors.ts';

const shortCode = /^:[a-z0-9_+-]{1,32}:$/;
/** An emoji as Unicode recommends to exchange it, also one of several code points. */
const recommended = /^\p{RGI_Emoji}$/v;
/** Where U+FE0F is missing: after a character that is shown as text by default. */
const textByDefault =
  /(?!\p{Emoji_Presentation})\p{Extended_Pictographic}(?!\u{FE0F}|\p{Emoji_Modifier})|[0-9#*](?=\u{20E3})/gu;

/**
 * Returns the emoji in the form in which it is stored, so that one picture is one kind of reaction: with U+FE0F wherever Unicode asks for it. Throws
 * INVALID_ARGUMENT for anything else than one emoji, or than a short code if these are allowed.
 */
export function toStoredEmoji(emoji: string, allowShortCodes: boolean): string {
  if (allowShortCodes && shortCode.test(emoji)) return emoji;
  const qualified = emoji.replaceAll(textByDefault, '$&\u{FE0F}');
  if (recommended.test(qualified)) return qualified;
  throw invalidFieldsError({
    field: 'emoji',
    description: allowShortCodes ? 'must be one emoji or a short code such as :party:' : 'must be one emoji',
  });
}

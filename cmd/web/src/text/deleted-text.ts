/** What is shown instead of the text of a deleted message. */
export const deletedText = 'This message was deleted';

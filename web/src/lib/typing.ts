/** Inputs that take letters; in a checkbox or a button a letter means nothing by itself. */
const WITHOUT_LETTERS = ["checkbox", "radio", "button", "submit"];

/** Whether a key that was pressed there belongs to a text, a list or a dialog, and not to the page. */
export function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target instanceof HTMLInputElement && WITHOUT_LETTERS.includes(target.type)) return target.closest("dialog") !== null;
  return target.closest("input, textarea, select, dialog, .editor, [contenteditable]") !== null;
}

/** Whether an action's name is meant, in any case. */
export type ActionMatcher = (action: string) => boolean;

/**
 * Azure's patterns for actions: `*` stands for any run of characters, slashes too, and case does not count. The pieces
 * between the stars are looked for one after the other, each at its first place, so nothing is ever tried twice.
 */
export function compileActionPattern(pattern: string): ActionMatcher {
  const [head = '', ...rest] = pattern.toLowerCase().split('*');
  const tail = rest.pop();
  if (tail === undefined) return (action) => action.toLowerCase() === head;
  return (action) => {
    const text = action.toLowerCase();
    if (!text.startsWith(head)) return false;
    let from = head.length;
    for (const piece of rest) {
      const at = text.indexOf(piece, from);
      if (at === -1) return false;
      from = at + piece.length;
    }
    return from + tail.length <= text.length && text.endsWith(tail);
  };
}

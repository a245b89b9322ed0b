import { CommandError } from './command-error.ts';

const interrupt = '\u0003';
const endOfInput = '\u0004';
const deletions = ['\u007F', '\b'];

/** Asks at the terminal, and shows nothing of the answer. @throws CommandError when there is no terminal */
export async function promptSecret(question: string): Promise<string> {
  const { stdin, stderr } = process;
  if (!stdin.isTTY)
    throw new CommandError('there is no terminal to ask for the password at', 'pipe it in, with --password-stdin');
  stderr.write(question);
  stdin.setRawMode(true).setEncoding('utf8');
  let answer = '';
  try {
    for await (const text of stdin as AsyncIterable<string>) {
      for (const sign of text) {
        if (sign === '\r' || sign === '\n' || sign === endOfInput) return answer;
        if (sign === interrupt) throw new CommandError('nothing was changed', undefined, { exitCode: 130 });
        if (deletions.includes(sign)) answer = [...answer].slice(0, -1).join('');
        else answer += sign;
      }
    }
    return answer;
  } finally {
    stdin.setRawMode(false);
    stdin.destroy();
    stderr.write('\n');
  }
}
